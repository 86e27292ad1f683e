/**
 * The wall of cards. Few cards lie in the flow of the document; a crowd is a grid of which only the
 * part in sight exists, and cards that leave it are reused.
 */

import { Card } from "./card.js";
import { computeGrid, keyStep, ranksToMove, tilePosition, visibleRange } from "./grid.js";
import { isDense, tileProperties, wallSize } from "./layout.js";
import { TileProbe } from "./tile_probe.js";

/** Delay after the last new card before the DOM order is sorted, which only matters to assistive technology. */
const SORT_DOM_AFTER_MS = 250;
/** Distance in px that is kept between a focused card and the edge of the window. */
const SCROLL_MARGIN_PX = 24;
/** Rows that Page Up and Page Down move in the flow of the document. */
const PAGE_ROWS = 3;

/** @typedef {import("./grid.js").Grid} Grid */

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
    new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === this.#width) return;
      this.#width = contentRect.width;
      this.#arrange();
    }).observe(container);
    container.addEventListener("keydown", (event) => this.#onKeyDown(event));
    container.addEventListener("focusin", ({ target }) => this.#setCurrent(idOfCard(target)));
  }

  /** The card of a pillow, if it exists. @param {string} id */
  card(id) {
    return this.#cards.get(id);
  }

  /** The cards that exist. */
  get cards() {
    return this.#cards.values();
  }

  /**
   * Show pillows in this order.
   *
   * @param {string[]} ids
   * @param {number} count of all pillows, also those that a filter hides; it decides the size
   */
  show(ids, count) {
    this.#ids = ids;
    this.#index = new Map(ids.map((id, index) => [id, index]));
    const size = wallSize(count);
    if (size !== this.#size) this.#setSize(size);
    if (this.#current === undefined || !this.#index.has(this.#current)) this.#setCurrent(ids[0]);
    this.#arrange();
  }

  /** Focus a card and scroll to it. @param {string} id */
  focus(id) {
    const index = this.#index.get(id);
    if (index === undefined) return;
    this.#setCurrent(id);
    this.#scrollTo(index);
    this.#cards.get(id)?.link.focus({ preventScroll: true });
  }

  /** @param {import("./layout.js").WallSize} size */
  #setSize(size) {
    const wasCrowd = this.#size?.tile != null;
    const isCrowd = size.tile !== null;
    this.#size = size;
    this.#container.dataset.size = size.name;
    if (!isCrowd) for (const [name, value] of tileProperties(null)) this.#container.style.setProperty(name, value);
    if (isCrowd === wasCrowd) return;
    this.#container.classList.toggle("crowd", isCrowd);
    // Clouds of a crowd are plain, so no card can be reused.
    for (const { element } of this.#cards.values()) element.remove();
    this.#cards.clear();
  }

  /** Arrange the cards anew if other rows have come into sight. */
  #onScroll() {
    if (this.#grid !== null && String(this.#rangeInSight(this.#grid)) !== this.#arrangedRange) this.#arrange();
  }

  #arrange() {
    const tile = this.#size?.tile ?? null;
    // The wall is hidden.
    if (tile !== null && this.#width === 0) return;
    this.#grid = tile === null ? null : this.#fitGrid(tile);
    const range = this.#grid === null ? [0, this.#ids.length] : this.#rangeInSight(this.#grid);
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
    for (const card of this.#cards.values()) this.#positionCard(card);
    if (this.#grid === null) this.#sortDom();
    else if (added.length > 0) this.#scheduleSortDom();
  }

  /** @param {import("./layout.js").Tile} tile */
  #fitGrid(tile) {
    this.#probe ??= new TileProbe(this.#container, this.#texts, () => this.#arrange());
    return computeGrid(this.#ids.length, this.#width, this.#probe.fit(this.#width, tile));
  }

  /** @param {Grid} grid */
  #rangeInSight(grid) {
    const { top } = this.#container.getBoundingClientRect();
    return visibleRange(this.#ids.length, -top, innerHeight - top, grid);
  }

  /** @param {Card} card */
  #positionCard(card) {
    const index = this.#index.get(card.id) ?? NaN;
    const grid = this.#grid;
    card.setPosition(index, this.#ids.length, grid === null ? null : { ...tilePosition(index, grid), width: grid.width, height: grid.height });
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
    const [card = new Card(this.#grid !== null, this.#texts)] = unused.length === 0 ? [] : unused.splice(Math.max(same, 0), 1);
    card.assign(id);
    card.isSoft = this.#size !== null && !isDense(this.#size);
    if (!card.element.isConnected) this.#container.append(card.element);
    this.#cards.set(id, card);
    this.#renderer.render(card);
  }

  #scheduleSortDom() {
    clearTimeout(this.#sortTimer);
    this.#sortTimer = setTimeout(() => this.#sortDom(), SORT_DOM_AFTER_MS);
  }

  /** Put the elements in order, because a screen reader reads them in DOM order. The focused one is not moved. */
  #sortDom() {
    const focused = document.activeElement?.closest?.(".card");
    const elements = /** @type {HTMLElement[]} */ ([...this.#container.children]);
    const rankOf = (/** @type {HTMLElement} */ element) => this.#index.get(element.dataset.pillow ?? "") ?? NaN;
    const toMove = ranksToMove(elements.map(rankOf), focused instanceof HTMLElement ? rankOf(focused) : undefined);
    for (const { element } of [...this.#cards.values()].sort((one, other) => rankOf(one.element) - rankOf(other.element))) {
      const rank = rankOf(element);
      if (!toMove.has(rank)) continue;
      const siblings = /** @type {HTMLElement[]} */ ([...this.#container.children]);
      const next = siblings.find((other) => rankOf(other) > rank && !toMove.has(rankOf(other)));
      this.#container.insertBefore(element, next ?? null);
      toMove.delete(rank);
    }
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

  /** @param {KeyboardEvent} event */
  #onKeyDown(event) {
    const from = this.#index.get(idOfCard(event.target) ?? "");
    if (from === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    const columns = this.#grid?.columns ?? this.#columnsInFlow();
    const rows = this.#grid === null ? PAGE_ROWS : Math.max(1, Math.floor(innerHeight / (this.#grid.height + this.#grid.gap)) - 1);
    const step = keyStep(event.key, columns, columns * rows, isRightToLeft(this.#container));
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(this.#ids.length - 1, from + step));
    this.#scrollTo(to);
    this.#setCurrent(this.#ids[to]);
    this.#cards.get(this.#ids[to])?.link.focus({ preventScroll: this.#grid !== null });
    // Remove the card that had the focus, if it is out of sight.
    if (this.#grid !== null) this.#arrange();
  }

  #columnsInFlow() {
    return getComputedStyle(this.#container).gridTemplateColumns.split(" ").length;
  }

  /** Scroll until a tile is in sight, and create its card. @param {number} index */
  #scrollTo(index) {
    if (this.#grid === null) return;
    const top = this.#container.getBoundingClientRect().top + tilePosition(index, this.#grid).top;
    const bottom = top + this.#grid.height;
    if (top < SCROLL_MARGIN_PX) scrollBy(0, top - SCROLL_MARGIN_PX);
    else if (bottom > innerHeight - SCROLL_MARGIN_PX) scrollBy(0, bottom - innerHeight + SCROLL_MARGIN_PX);
    this.#arrange();
  }
}

/** @param {Element} element */
const isRightToLeft = (element) => getComputedStyle(element).direction === "rtl";

/** The id of the pillow on whose card a node is. @param {EventTarget | null} node */
function idOfCard(node) {
  const card = node instanceof Element ? node.closest(".card") : null;
  return card instanceof HTMLElement ? card.dataset.pillow : undefined;
}
