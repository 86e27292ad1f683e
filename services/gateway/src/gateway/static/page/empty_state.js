/** What the page shows while there is no pillow. */

import { createCloud, setPose } from "../cloud/cloud.js";
import { byId, setText } from "../cloud/dom.js";

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
   * @param {boolean} isKnown whether the gateway has sent a snapshot; before that, the page is loading
   */
  render(isEmpty, isKnown) {
    this.#section.hidden = !isEmpty;
    if (!isEmpty) return;
    this.#hint.hidden = !isKnown;
    setText(this.#title, isKnown ? "A clear sky" : "Nothing to see yet");
    setText(
      this.#text,
      isKnown
        ? "No pillow has said anything yet. Clouds appear here by themselves as soon as one does."
        : "The clouds appear here as soon as the page has reached the gateway.",
    );
    // Until then the picture that is part of the document stays.
    if (!isKnown) return;
    if (this.#cloud === undefined) this.#picture.replaceChildren((this.#cloud = createCloud()));
    setPose(this.#cloud, "neutral");
  }
}
