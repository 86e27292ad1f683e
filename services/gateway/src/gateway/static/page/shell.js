/** The elements around the views: title, link back, keyboard shortcuts, announcements of clouds. */

import { byId } from "../cloud/dom.js";
import { followBack } from "./way_back.js";

export class Shell {
  #document;
  /** @type {HTMLAnchorElement} */
  #back;
  #wall;
  #noMatch;
  #filters;
  /** @type {HTMLInputElement} */
  #nameFilter;
  #announcement;
  #title = "";
  #name = "Pillowcast";
  #hasBackLink = false;
  #titlePrefix = "";

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
    this.#back = byId(document, "back");
    this.#wall = byId(document, "wall");
    this.#noMatch = byId(document, "no-match");
    this.#filters = byId(document, "filters");
    this.#nameFilter = byId(document, "name-filter");
    this.#announcement = byId(document, "cloud-announcement");
    // Without the link's own target, because a fragment names a pillow, and one may be called main.
    document.querySelector(".skip")?.addEventListener("click", (event) => {
      event.preventDefault();
      byId(document, "main").focus();
    });
    this.#back.addEventListener("click", (event) => followBack(event, document.defaultView?.history));
    document.addEventListener("keydown", (event) => this.#onKeyDown(event));
  }

  /**
   * Show the wall or the detail view.
   *
   * @param {string | null} id the pillow of the detail view; null for the wall
   * @param {{hasBackLink: boolean, name: string}} how whether the link to the wall is shown, to which Escape
   *   leads; and what the pillow is called
   */
  render(id, { hasBackLink, name }) {
    this.#hasBackLink = hasBackLink;
    this.#back.hidden = !hasBackLink;
    this.#wall.hidden = id !== null;
    this.#name = id === null ? "Pillowcast" : `${name} · Pillowcast`;
    this.#renderTitle();
  }

  /** Put a text before the title of the tab. @param {string} prefix */
  setTitlePrefix(prefix) {
    this.#titlePrefix = prefix;
    this.#renderTitle();
  }

  #renderTitle() {
    const title = this.#titlePrefix + this.#name;
    // Not compared with the document's, which a browser may have translated.
    if (this.#title !== title) this.#document.title = this.#title = title;
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

  /** Give the name of the view the focus, because that of the wall went with it. */
  focusView() {
    byId(this.#document, "detail-name").focus({ preventScroll: true });
  }

  /** Escape leads back to the wall; `/` focuses the name filter of the wall. @param {KeyboardEvent} event */
  #onKeyDown(event) {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const isWithin = (/** @type {string} */ selector) => target instanceof Element && target.closest(selector) !== null;
    // The key closes a dialog, or clears the field, and nothing else.
    if (isWithin("dialog")) return;
    if (key === "Escape" && this.#hasBackLink) this.#back.click();
    const isTyping = isWithin("input, select, textarea, [contenteditable]");
    if (key !== "/" || isTyping || this.#wall.hidden || this.#filters.hidden) return;
    // Neither typed into the filter, nor the key for Firefox's quick search. With some keyboards it is Shift and 7.
    event.preventDefault();
    this.#nameFilter.focus();
  }
}
