/** What whoever runs the gateway needs under an empty sky, one click away from visitors. */

import { byId, createElement } from "../cloud/dom.js";

/**
 * @param {Document} document
 * @param {import("../cloud/texts.js").Texts} texts
 */
export function addDeveloperHelp(document, texts) {
  const help = createElement("details", "for-developers");
  help.append(
    createElement("summary", "", texts.format("extras.developer")),
    createElement("p", "", texts.format("extras.developer-simulator")),
    createCommand("simulator"),
    createElement("p", "", texts.format("extras.developer-queue", { queue: "pillow-state" })),
    createCommand('{"pillow": "cloud-1", "state": "hugging"}'),
  );
  byId(document, "empty").append(help);
}

/** @param {string} text */
function createCommand(text) {
  const block = createElement("pre");
  // It scrolls, so that a keyboard must reach it.
  block.tabIndex = 0;
  block.dir = "ltr";
  block.setAttribute("translate", "no");
  block.append(createElement("code", "", text));
  return block;
}
