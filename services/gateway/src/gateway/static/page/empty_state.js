/** What the page shows while there is no pillow. */

import { createCloud, setPose } from "../cloud/cloud.js";
import { byId, setText } from "../cloud/dom.js";

const TEXTS = {
  loading: ["Nothing to see yet", "The clouds appear here as soon as the page has reached the gateway."],
  offline: ["You are offline", "The clouds appear here as soon as you have a network again."],
  empty: ["A clear sky", "No pillow has said anything yet. Clouds appear here by themselves as soon as one does."],
  locked: ["This sky is private", "Open the link that somebody shared with you. Links can expire."],
  waiting: ["Waiting for news", "The last state of each pillow is not kept. A cloud appears here when its pillow next reports."],
};

export class EmptyState {
  #section;
  #hint;
  #title;
  #text;
  #picture;
  /** Created when it is known that there is no pillow. @type {HTMLElement | undefined} */
  #cloud;

  /** @param {Document} document */
  constructor(document) {
    this.#section = byId(document, "empty");
    this.#hint = byId(document, "empty-hint");
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
    this.#hint.hidden = !isKnown || !isRetained;
    const [title, text] = TEXTS[isLocked ? "locked" : !isKnown ? (isOffline ? "offline" : "loading") : isRetained ? "empty" : "waiting"];
    setText(this.#title, title);
    setText(this.#text, text);
    // Until then the picture that is part of the document stays.
    if (!isKnown) return;
    if (this.#cloud === undefined) this.#picture.replaceChildren((this.#cloud = createCloud()));
    setPose(this.#cloud, "neutral");
  }
}
