/** What the page shows while there is no pillow. */

import { createCloud, setPose } from "../cloud/cloud.js";
import { byId, setText } from "../cloud/dom.js";

export class EmptyState {
  #section;
  #title;
  #text;
  #picture;
  /** Created when it is known that there is no pillow. @type {HTMLElement | undefined} */
  #cloud;

  #texts;

  /**
   * @param {Document} document
   * @param {import("../cloud/texts.js").Texts} texts
   */
  constructor(document, texts) {
    this.#texts = texts;
    this.#section = byId(document, "empty");
    this.#title = byId(document, "empty-title");
    this.#text = byId(document, "empty-text");
    this.#picture = byId(document, "empty-cloud");
  }

  /**
   * @param {boolean} isEmpty whether there is no pillow
   * @param {{isKnown: boolean, isRetained: boolean, isLocked: boolean, isOffline?: boolean}} facts `isLocked`: the
   *   gateway needs another token; `isOffline`: there is no network; `isKnown`: the gateway has sent a snapshot, and
   *   before that the page is loading; `isRetained`: the snapshot has every pillow that ever reported
   */
  render(isEmpty, { isKnown, isRetained, isLocked, isOffline }) {
    this.#section.hidden = !isEmpty;
    if (!isEmpty) return;
    const reason = isLocked ? "locked" : !isKnown ? (isOffline ? "offline" : "loading") : isRetained ? "empty" : "waiting";
    this.#section.dataset.reason = reason;
    setText(this.#title, this.#texts.format(`empty.${reason}`));
    setText(this.#text, this.#texts.format(`empty.${reason}-text`));
    // Until then the picture that is part of the document stays.
    if (!isKnown) return;
    if (this.#cloud === undefined) this.#picture.replaceChildren((this.#cloud = createCloud()));
    setPose(this.#cloud, "neutral", this.#texts);
  }
}
