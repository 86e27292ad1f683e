/** The elements around the views: title, link back, keyboard shortcuts, announcements of clouds. */

import { byId } from "../cloud/dom.js";

export class Shell {
  #document;
  /** @type {HTMLAnchorElement} */
  #back;
  #wall;
  #noMatch;
  /** @type {HTMLInputElement} */
  #nameFilter;
  #announcement;
  #canGoBack = false;

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
    this.#back = byId(document, "back");
    this.#wall = byId(document, "wall");
    this.#noMatch = byId(document, "no-match");
    this.#nameFilter = byId(document, "name-filter");
    this.#announcement = byId(document, "cloud-announcement");
    // Without the link's own target, because a fragment names a pillow, and one may be called main.
    document.querySelector(".skip")?.addEventListener("click", (event) => {
      event.preventDefault();
      byId(document, "main").focus();
    });
    document.addEventListener("keydown", (event) => this.#onKeyDown(event));
  }

  /**
   * Show the wall or the detail view.
   *
   * @param {string | null} id the pillow of the detail view; null for the wall
   * @param {{hasBackLink: boolean, canGoBack: boolean}} how `hasBackLink`: the link to the wall is
   *   shown; `canGoBack`: the Escape key leads to the wall
   */
  render(id, { hasBackLink, canGoBack }) {
    this.#canGoBack = canGoBack;
    this.#back.hidden = !hasBackLink;
    this.#wall.hidden = id !== null;
    const title = id === null ? "Pillowcast" : `${id} · Pillowcast`;
    if (this.#document.title !== title) this.#document.title = title;
  }

  /** Set the fragment to which the link back leads. @param {string} hash */
  setBackHash(hash) {
    this.#back.href = hash || "#";
  }

  /** Show whether the filter selects no pillow. @param {boolean} isEmpty */
  setNoMatch(isEmpty) {
    this.#noMatch.hidden = !isEmpty;
  }

  /** Let a screen reader read a text. @param {string} text */
  announce(text) {
    this.#announcement.textContent = text;
  }

  /** Escape leads back to the wall; `/` focuses the name filter of the wall. @param {KeyboardEvent} event */
  #onKeyDown({ key, target }) {
    if (key === "Escape" && this.#canGoBack) this.#back.click();
    const isTyping = target instanceof Element && target.matches("input, select");
    // After the event, or the key would be typed into the filter.
    if (key === "/" && !this.#wall.hidden && !isTyping) setTimeout(() => this.#nameFilter.focus());
  }
}
