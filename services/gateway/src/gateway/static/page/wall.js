/**
 * The wall: cards in an order, a few in the flow of the page, thousands as a grid of which only
 * the part in sight exists.
 */

import { Card } from "./card.js";
import { gridOf, inSight, placeOf, stepOf } from "./grid.js";

const FEW = 3;
const SOME = 24;
const MANY = 200;
const SIZES = {
  many: { least: 158, height: 218, gap: 12 },
  dense: { least: 104, height: 134, gap: 8 },
};
/** Cards out of sight that are kept for the next that come into it. */
const SPARE = 60;

export class Wall {
  #sky;
  #ids = [];
  #index = new Map();
  #cards = new Map();
  #spare = [];
  #size = "few";
  #grid = null;
  #current = null;
  #onShow;

  /**
   * @param {HTMLElement} sky
   * @param {(card: Card) => void} onShow told of each card that comes into sight
   */
  constructor(sky, onShow) {
    this.#sky = sky;
    this.#onShow = onShow;
    const arrange = () => this.#arrange();
    addEventListener("scroll", arrange, { passive: true });
    new ResizeObserver(arrange).observe(sky);
    sky.addEventListener("keydown", (event) => this.#steer(event));
    sky.addEventListener("focusin", ({ target }) => this.#setCurrent(target.closest("article")?.dataset.pillow));
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
    const size = count <= FEW ? "few" : count <= SOME ? "some" : count <= MANY ? "many" : "dense";
    if (size !== this.#size) {
      this.#size = size;
      this.#sky.dataset.size = size;
      this.#sky.classList.toggle("crowd", count > SOME);
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

  #arrange() {
    if (this.#sky.hidden) return;
    const tile = SIZES[this.#size];
    this.#grid = tile === undefined ? null : gridOf(this.#ids.length, this.#sky.clientWidth, tile);
    const wanted = this.#grid === null ? this.#ids : this.#ids.slice(...this.#sight());
    const kept = new Set(wanted);
    const focused = document.activeElement?.closest?.("article")?.dataset.pillow;
    for (const [id, card] of this.#cards) {
      // A card with the focus stays, wherever it was scrolled to.
      if (!kept.has(id) && !(id === focused && this.#index.has(id))) this.#put(id, card);
    }
    this.#sky.style.height = this.#grid === null ? "" : `${this.#grid.total}px`;
    let next = this.#sky.firstElementChild;
    for (const id of wanted) {
      const card = this.#cards.get(id) ?? this.#take(id);
      if (card.element === next) next = next.nextElementSibling;
      else if (id !== focused || !card.element.isConnected) this.#sky.insertBefore(card.element, next);
      this.#settle(card);
    }
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

  #take(id) {
    const card = this.#spare.pop() ?? new Card();
    card.assign(id);
    this.#cards.set(id, card);
    this.#onShow(card);
    return card;
  }

  #put(id, card) {
    this.#cards.delete(id);
    card.element.remove();
    if (this.#spare.length < SPARE) this.#spare.push(card);
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
    const from = this.#index.get(event.target.closest("article")?.dataset.pillow);
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
