/** The tools of the page, which it loads once it is live: they are for later than the first picture. */

import { byId } from "../cloud/dom.js";
import { Choices } from "./choices.js";
import { addDeveloperHelp } from "./for_developers.js";
import { showImpossibleNames } from "./impossible_names.js";
import { registerWorker } from "./offline_page.js";
import { askForMotionInSight } from "./motion_in_sight.js";
import { Notifications, Sound, TabIcon } from "./signal_outputs.js";
import { hugSentence, Signals } from "./signals.js";
import { ToolsDialog } from "./tools_dialog.js";
import { versionIn } from "./version.js";
import { addWallExtras } from "./wall_extras.js";

/**
 * What the tools get from the page.
 *
 * @typedef {object} Surroundings
 * @property {Window & typeof globalThis} window
 * @property {Storage | null} storage of this tab; null where the browser forbids it
 * @property {URL} folder the gateway's
 * @property {import("../client/session.js").Session} client
 * @property {import("./page_state.js").PageState} state
 * @property {import("./app.js").Views} views
 * @property {import("./app.js").App} app
 * @property {import("../cloud/texts.js").Texts} texts
 * @property {(state: string) => string} pictureUrl
 * @property {(id: string) => string} nameOf
 */

/**
 * Start the tools.
 *
 * @param {Surroundings} page
 * @returns {{isOn: boolean}} whether signals are asked for, for which a hidden page stays connected
 */
export function startExtras(page) {
  const { window, folder, texts } = page;
  const { document, location } = window;
  const now = () => window.performance.now();
  const choices = new Choices(window, folder);
  const sound = new Sound(window, now);
  const notifications = new Notifications(window, (names) => hugSentence(names, texts), new URL("icons/icon-192.png", folder).href);
  const signals = new Signals(page, choices, { sound, notifications, icon: new TabIcon(document) }, now);
  new ToolsDialog(page, choices, { sound, notifications, signals });
  for (const type of ["pointerdown", "keydown"]) {
    window.addEventListener(type, () => choices.chosen.sound && sound.allow(), { passive: true });
  }
  window.addEventListener("storage", (event) => {
    choices.follow(event);
    signals.refresh();
  });
  window.addEventListener("hashchange", () => {
    signals.refresh();
    showImpossibleNames(document, location, texts);
  });
  showImpossibleNames(document, location, texts);
  addDeveloperHelp(document, texts);
  addWallExtras(page);
  askForMotionInSight(window, page.client, [byId(document, "clouds"), byId(document, "detail")]);
  signals.start();
  registerWorker(window, folder, { version: versionIn(import.meta.url), language: texts.language });
  return choices;
}
