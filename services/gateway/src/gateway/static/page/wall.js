/**
 * The wall: cards in an order, a few in the flow of the page, thousands as a grid of which only
 * the part in sight exists.
 */

import { Card } from "./card.js";
import { gridOf, inSight, misplaced, placeOf, stepOf } from "./grid.js";

const FEW = 3;
/** More clouds than these are a crowd: they are plainer, and what changes is drawn together. */
export const CROWD = 24;
/** More than these are a dense crowd: they change at once. */
export const DENSE = 200;
const SIZES = {
  many: { least: 158, height: 218, gap: 12 },
  dense: { least: 104, height: 134, gap: 8 },
};
/** After this long without a new card, they are put in their order for who goes through them by ear. */
const ORDER_AFTER_MS = 250;

export class Wall {
  #sky;
  #ids = [];
  #index = new Map();
  #cards = new Map();
  #size = "";
  #isCrowd = false;
  #grid = null;
  #width = 0;
  #sighted = "";
  #current = null;
  #onShow;
  #lookOf;
  #ordering = null;

  /**
   * @param {HTMLElement} sky
   * @param {(card: Card) => void} onShow told of each card that comes into sight
   * @param {(id: string) => string} lookOf what a pillow's card looks like
   */
  constructor(sky, onShow, lookOf) {
    this.#sky = sky;
    this.#onShow = onShow;
    this.#lookOf = lookOf;
    addEventListener("scroll", () => this.#follow(), { passive: true });
    addEventListener("resize", () => this.#follow(), { passive: true });
    new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === this.#width) return;
      this.#width = contentRect.width;
      this.#arrange();
    }).observe(sky);
    sky.addEventListener("keydown", (event) => this.#steer(event));
    sky.addEventListener("focusin", ({ target }) => this.#setCurrent(target.closest(".card")?.dataset.pillow));
  }

  /** The card of a pillow, when there is one now. */
  card(id) {
    return this.#cards.get(id);
  }

  /** The cards there are now. */
  get cards() {
    return this.#cards.values();
  }

  /** Show these pillows, in this order. `count` is how many there are in all, for the size of the cards. */
  show(ids, count) {
    this.#ids = ids;
    this.#index = new Map(ids.map((id, place) => [id, place]));
    const size = count <= FEW ? "few" : count <= CROWD ? "some" : count <= DENSE ? "many" : "dense";
    if (size !== this.#size) {
      this.#size = size;
      this.#sky.dataset.size = size;
      this.#crowd(count > CROWD);
    }
    if (!this.#index.has(this.#current)) this.#setCurrent(ids[0]);
    this.#arrange();
  }

  /** The focus back on a card, as after a look at its pillow. */
  focus(id) {
    if (!this.#index.has(id)) return;
    this.#setCurrent(id);
    this.#reveal(this.#index.get(id));
    this.#cards.get(id)?.link.focus({ preventScroll: true });
  }

  /** Scrolled: there is something to do only when other rows have come into sight. */
  #follow() {
    if (this.#grid !== null && String(this.#sight()) !== this.#sighted) this.#arrange();
  }

  #arrange() {
    const tile = SIZES[this.#size];
    if (tile !== undefined && this.#width === 0) return; // not in sight
    this.#grid = tile === undefined ? null : gridOf(this.#ids.length, this.#width, tile);
    const sight = this.#grid === null ? [0, this.#ids.length] : this.#sight();
    this.#sighted = String(sight);
    const wanted = this.#ids.slice(...sight);
    const kept = new Set(wanted);
    const focused = document.activeElement?.closest?.(".card")?.dataset.pillow;
    // A card with the focus stays, wherever it was scrolled to.
    const free = [...this.#cards.values()].filter(({ id }) => !kept.has(id) && !(id === focused && this.#index.has(id)));
    for (const { id } of free) this.#cards.delete(id);
    this.#sky.style.height = this.#grid === null ? "" : `${this.#grid.total}px`;
    const isNew = wanted.filter((id) => !this.#cards.has(id));
    for (const id of isNew) this.#take(id, free);
    for (const { element } of free) element.remove();
    for (const card of this.#cards.values()) this.#settle(card);
    if (this.#grid === null) this.#order();
    else if (isNew.length > 0) this.#orderSoon();
  }

  /** In a crowd clouds are drawn in another way: the cards are made anew. */
  #crowd(isCrowd) {
    if (isCrowd === this.#isCrowd) return;
    this.#isCrowd = isCrowd;
    this.#sky.classList.toggle("crowd", isCrowd);
    for (const { element } of this.#cards.values()) element.remove();
    this.#cards.clear();
  }

  #sight() {
    const { top } = this.#sky.getBoundingClientRect();
    return inSight(this.#ids.length, -top, innerHeight - top, this.#grid);
  }

  #settle(card) {
    const index = this.#index.get(card.id);
    card.place(index, this.#ids.length, this.#grid === null ? null : { ...placeOf(index, this.#grid), width: this.#grid.width, height: this.#grid.height });
    card.link.tabIndex = this.#grid === null || card.id === this.#current ? 0 : -1;
  }

  /** A card for a pillow: of those out of sight the one that looks most like it, or a new one. */
  #take(id, free) {
    const look = this.#lookOf(id);
    const alike = free.findIndex((card) => card.look === look);
    const [card = new Card(this.#isCrowd)] = free.length === 0 ? [] : free.splice(Math.max(alike, 0), 1);
    card.assign(id);
    // Of two thousand, twenty change in each second: a fade each would never let the wall rest.
    card.isSoft = this.#size !== "dense";
    if (!card.element.isConnected) this.#sky.append(card.element);
    this.#cards.set(id, card);
    this.#onShow(card);
  }

  #orderSoon() {
    clearTimeout(this.#ordering);
    this.#ordering = setTimeout(() => this.#order(), ORDER_AFTER_MS);
  }

  /** Where a card stands in the document is where it is read: move the fewest, and none that has the focus. */
  #order() {
    const rank = (element) => this.#index.get(element.dataset.pillow);
    const focused = document.activeElement?.closest?.(".card");
    const wrong = misplaced([...this.#sky.children].map(rank), focused ? rank(focused) : undefined);
    for (const card of [...this.#cards.values()].sort((one, other) => rank(one.element) - rank(other.element))) {
      const place = rank(card.element);
      if (!wrong.has(place)) continue;
      const next = [...this.#sky.children].find((other) => rank(other) > place && !wrong.has(rank(other)));
      this.#sky.insertBefore(card.element, next ?? null);
      wrong.delete(place);
    }
  }

  #setCurrent(id) {
    if (id === undefined || id === this.#current) return;
    const before = this.#cards.get(this.#current);
    if (before !== undefined && this.#grid !== null) before.link.tabIndex = -1;
    this.#current = id;
    const now = this.#cards.get(id);
    if (now !== undefined) now.link.tabIndex = 0;
  }

  #steer(event) {
    const from = this.#index.get(event.target.closest(".card")?.dataset.pillow);
    if (from === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const columns = this.#grid?.columns ?? this.#flowColumns();
    const rows = this.#grid === null ? 3 : Math.max(1, Math.floor(innerHeight / (this.#grid.height + this.#grid.gap)) - 1);
    const step = stepOf(event.key, columns, columns * rows);
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(this.#ids.length - 1, from + step));
    this.#reveal(to);
    this.#setCurrent(this.#ids[to]);
    this.#cards.get(this.#ids[to])?.link.focus({ preventScroll: this.#grid !== null });
    // The card that had the focus may go now.
    if (this.#grid !== null) this.#arrange();
  }

  #flowColumns() {
    return getComputedStyle(this.#sky).gridTemplateColumns.split(" ").length;
  }

  /** Scroll so far that a tile is in sight, and make its card. */
  #reveal(index) {
    if (this.#grid === null) return;
    const top = this.#sky.getBoundingClientRect().top + placeOf(index, this.#grid).top;
    const margin = 24;
    if (top < margin) scrollBy(0, top - margin);
    else if (top + this.#grid.height > innerHeight - margin) scrollBy(0, top + this.#grid.height - innerHeight + margin);
    this.#arrange();
  }
}
