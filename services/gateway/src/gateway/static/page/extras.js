/** The tools of the page, which it loads once it is live: they are for later than the first picture. */

import { registerWorker } from "./offline_page.js";

/**
 * What the tools get from the page.
 *
 * @typedef {object} Surroundings
 * @property {Window} window
 * @property {URL} folder the gateway's
 */

/** Start the tools. @param {Surroundings} surroundings */
export function startExtras({ window, folder }) {
  registerWorker(window, folder);
}
