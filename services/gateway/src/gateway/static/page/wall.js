/**
 * The wall of cards. Few cards lie in the flow of the document; a crowd is a grid of which only the
 * part in sight exists, and cards that leave it are reused.
 */

import { Card } from "./card.js";
import { computeGrid, tilePosition, visibleRange } from "./grid.js";
import { isCrowd, isDense, tileProperties } from "./layout.js";
import { observeSize } from "./observe_size.js";
import { TileProbe } from "./tile_probe.js";

/** Delay after the last new card before the DOM order is sorted, which only matters to assistive technology. */
const SORT_DOM_AFTER_MS = 250;
/** Distance in px that is kept between a focused card and the edge of the window. */
const SCROLL_MARGIN_PX = 24;
/** A larger crowd is not printed whole: it would be a hundred sheets. */
const MAX_PRINTED = 2_000;

/** @typedef {import("./grid.js").Grid} Grid */
/**
 * What is loaded later.
 *
 * @typedef {object} WallExtras
 * @property {(shown: string[], wanted: string[], isChosen: boolean) => string[]} order the order to show:
 *   under a pointer or the focus it holds still
 * @property {(cards: Card[], rankOf: (element: HTMLElement) => number) => void} sortDom put the elements in
 *   order, because a screen reader reads them in DOM order
 * @property {(cards: Iterable<Card>) => () => void} watchMoves what it returns shows moves as moves
 */

export class Wall {
  #container;
  #renderer;
  #texts;
  /** @type {string[]} */
  #ids = [];
  /** The index of each id. @type {Map<string, number>} */
  #index = new Map();
  /** The cards that exist, by id. @type {Map<string, Card>} */
  #cards = new Map();
  /** @type {import("./layout.js").WallSize | null} */
  #size = null;
  /** Created for the first crowd. @type {TileProbe | undefined} */
  #probe;
  /** Null if the cards lie in the flow of the document. @type {Grid | null} */
  #grid = null;
  #width = 0;
  /** @type {WallExtras | null} */
  extras = null;
  /** In wall mode: the grid for a number of clouds. @type {((count: number, width: number) => {grid: Grid, range: [number, number]}) | null} */
  fit = null;
  isPrinted = false;
  /** The range of the cards that were arranged last. */
  #arrangedRange = "";
  /** The card that the Tab key reaches. @type {string | undefined} */
  #current;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #sortTimer;

  /**
   * @param {HTMLElement} container
   * @param {Pick<import("./card.js").CardRenderer, "render" | "appearanceOf">} renderer renders each
   *   card that comes into sight
   * @param {import("../cloud/texts.js").Texts} texts
   */
  constructor(container, renderer, texts) {
    this.#texts = texts;
    this.#container = container;
    this.#renderer = renderer;
    addEventListener("scroll", () => this.#onScroll(), { passive: true });
    addEventListener("resize", () => this.#onScroll(), { passive: true });
    observeSize(container, (width) => {
      if (width === this.#width) return;
      this.#width = width;
      this.arrange();
    });
    container.addEventListener("focusin", ({ target }) => this.#setCurrent(idOfCard(target)));
  }

  /** The card of a pillow, if it exists. @param {string} id */
  card(id) {
    return this.#cards.get(id);
  }

  /** The pillows, in the order in which they are shown. */
  get ids() {
    return this.#ids;
  }

  /** The grid of the cards; null if they lie in the flow of the document. */
  get grid() {
    return this.#grid;
  }

  /** The cards that exist. */
  get cards() {
    return this.#cards.values();
  }

  /**
   * Show pillows in this order.
   *
   * @param {string[]} wanted
   * @param {import("./layout.js").WallSize} size
   * @param {boolean} [isChosen] whether the visitor asked for this order, so that it is not held back
   */
  show(wanted, size, isChosen = false) {
    const ids = this.extras?.order(this.#ids, wanted, isChosen) ?? wanted;
    const showMoves = isDense(size) || size !== this.#size ? undefined : this.extras?.watchMoves(this.#cards.values());
    this.#ids = ids;
    this.#index = new Map(ids.map((id, index) => [id, index]));
    if (size !== this.#size) this.#setSize(size);
    if (this.#current === undefined || !this.#index.has(this.#current)) this.#setCurrent(ids[0]);
    this.arrange();
    showMoves?.();
  }

  /** Focus a card and scroll to it. @param {string} id */
  focus(id) {
    const index = this.#index.get(id);
    if (index === undefined) return;
    this.#setCurrent(id);
    this.#scrollTo(index);
    const isInFlow = this.#grid === null;
    this.#cards.get(id)?.link.focus({ preventScroll: !isInFlow });
    // Remove the card that had the focus, if it is out of sight.
    if (!isInFlow) this.arrange();
  }

  /** @param {import("./layout.js").WallSize} size */
  #setSize(size) {
    const wasCrowd = this.#size !== null && isCrowd(this.#size);
    this.#size = size;
    this.#container.dataset.size = size.name;
    if (!isCrowd(size)) for (const [name, value] of tileProperties(null)) this.#container.style.setProperty(name, value);
    if (isCrowd(size) === wasCrowd) return;
    this.#container.classList.toggle("crowd", isCrowd(size));
    // Clouds of a crowd are plain, so no card can be reused.
    for (const { element } of this.#cards.values()) element.remove();
    this.#cards.clear();
  }

  /** Arrange the cards anew if other rows have come into sight. */
  #onScroll() {
    if (this.fit !== null || (this.#grid !== null && String(this.#rangeInSight(this.#grid)) !== this.#arrangedRange)) this.arrange();
  }

  /** Create the cards that are in sight, and put each in its place. */
  arrange() {
    // Before the first frame, and when the wall is shown again, its size has not been told yet.
    this.#width ||= this.#container.getBoundingClientRect().width;
    // The wall is hidden.
    if (this.#width === 0 && (this.fit !== null || this.#size?.tile)) return;
    const range = this.#chooseGrid();
    this.#arrangedRange = String(range);
    const wanted = this.#ids.slice(...range);
    const kept = new Set(wanted);
    const focused = idOfCard(document.activeElement);
    // The focused card is kept, because to remove it would lose the focus.
    const unused = [...this.#cards.values()].filter(({ id }) => !kept.has(id) && !(id === focused && this.#index.has(id)));
    for (const { id } of unused) this.#cards.delete(id);
    this.#container.style.height = this.#grid === null ? "" : `${this.#grid.totalHeight}px`;
    const added = wanted.filter((id) => !this.#cards.has(id));
    for (const id of added) this.#addCard(id, unused);
    for (const { element } of unused) element.remove();
    for (const card of this.#cards.values()) this.#positionCard(card, this.fit === null ? 0 : range[0]);
    if (this.#grid === null) this.sortDom();
    else if (added.length > 0) this.#scheduleSortDom();
  }

  /** Choose the grid. Returns the range of the cards that exist: index of the first, and index after the last. */
  #chooseGrid() {
    const count = this.#ids.length;
    const tile = this.#size?.tile ?? null;
    this.#grid = null;
    if (this.isPrinted) return [0, Math.min(count, MAX_PRINTED)];
    if (this.fit !== null) {
      const { grid, range } = this.fit(count, this.#width);
      this.#grid = grid;
      return range;
    }
    if (tile === null) return [0, count];
    this.#probe ??= new TileProbe(this.#container, this.#texts, () => this.arrange());
    this.#grid = computeGrid(count, this.#width, this.#probe.fit(this.#width, tile));
    return this.#rangeInSight(this.#grid);
  }

  /** @param {Grid} grid */
  #rangeInSight(grid) {
    const { top } = this.#container.getBoundingClientRect();
    return visibleRange(this.#ids.length, -top, innerHeight - top, grid);
  }

  /** @param {Card} card @param {number} first index of the card that is in the first place */
  #positionCard(card, first) {
    const index = this.#index.get(card.id) ?? NaN;
    const grid = this.#grid;
    card.setPosition(index, this.#ids.length, grid === null ? null : { ...tilePosition(index - first, grid), width: grid.width, height: grid.height });
    card.link.tabIndex = grid === null || card.id === this.#current ? 0 : -1;
  }

  /**
   * Show a pillow on an unused card, one that looks the same if possible, or on a new card.
   *
   * @param {string} id
   * @param {Card[]} unused the card is removed from this list
   */
  #addCard(id, unused) {
    const appearance = this.#renderer.appearanceOf(id);
    const same = unused.findIndex((card) => card.appearance === appearance);
    const [card = new Card(this.#size !== null && isCrowd(this.#size), this.#texts)] = unused.length === 0 ? [] : unused.splice(Math.max(same, 0), 1);
    card.assign(id);
    card.isSoft = this.#size !== null && !isDense(this.#size);
    if (!card.element.isConnected) this.#container.append(card.element);
    this.#cards.set(id, card);
    this.#renderer.render(card);
  }

  #scheduleSortDom() {
    clearTimeout(this.#sortTimer);
    this.#sortTimer = setTimeout(() => this.sortDom(), SORT_DOM_AFTER_MS);
  }

  /** Put the elements in order, which is done by what is loaded later. */
  sortDom() {
    this.extras?.sortDom([...this.#cards.values()], (element) => this.#index.get(element.dataset.pillow ?? "") ?? NaN);
  }

  /** Let the Tab key reach this card of a grid and no other. @param {string | undefined} id */
  #setCurrent(id) {
    if (id === undefined || id === this.#current) return;
    const before = this.#cards.get(this.#current ?? "");
    if (before !== undefined && this.#grid !== null) before.link.tabIndex = -1;
    this.#current = id;
    const card = this.#cards.get(id);
    if (card !== undefined) card.link.tabIndex = 0;
  }

  /** Scroll until a tile is in sight, and create its card. @param {number} index */
  #scrollTo(index) {
    if (this.#grid === null) return;
    const top = this.#container.getBoundingClientRect().top + tilePosition(index, this.#grid).top;
    const bottom = top + this.#grid.height;
    // The tools may lie above the cards.
    const margin = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || SCROLL_MARGIN_PX;
    if (top < margin) scrollBy(0, top - margin);
    else if (bottom > innerHeight - SCROLL_MARGIN_PX) scrollBy(0, bottom - innerHeight + SCROLL_MARGIN_PX);
    this.arrange();
  }
}

/** The id of the pillow on whose card a node is. @param {EventTarget | null} node */
function idOfCard(node) {
  const card = node instanceof Element ? node.closest(".card") : null;
  return card instanceof HTMLElement ? card.dataset.pillow : undefined;
}
