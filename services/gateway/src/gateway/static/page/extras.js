/** The tools of the page, which it loads once it is live: they are for later than the first picture. */

import { registerWorker } from "./offline_page.js";
import { addWallExtras } from "./wall_extras.js";

/**
 * What the tools get from the page.
 *
 * @typedef {object} Surroundings
 * @property {Window} window
 * @property {URL} folder the gateway's
 * @property {import("../client/pillowcast.js").Pillowcast} client
 * @property {import("./page_state.js").PageState} state
 * @property {import("./app.js").Views} views
 * @property {import("./app.js").App} app
 * @property {import("../cloud/texts.js").Texts} texts
 */

/** Start the tools. @param {Surroundings} page */
export function startExtras(page) {
  registerWorker(page.window, page.folder);
  addWallExtras(page);
}
