/** The heat map: hugs by day and hour, as a grid whose cells can be reached by keys and looked at closer. */

import { createElement, setText } from "../cloud/dom.js";
import { LEVELS } from "./heat_cells.js";
import { cellText } from "./story_words.js";

/** Every so many hours have a label. */
const LABEL_HOURS = 6;
const HOURS = 24;

/** @typedef {import("./heat_cells.js").Row} Row */
/** @typedef {import("./heat_cells.js").Cell} Cell */

export class HeatMap {
  element = createElement("div", "heat");
  #caption = createElement("p", "heat-caption");
  #grid = createElement("div", "heat-grid");
  #readout = createElement("p", "heat-readout");
  #foot = createElement("div", "heat-foot");
  #words;
  /** @type {Row[]} */
  #rows = [];
  /** The cells by row and hour. @type {HTMLElement[][]} */
  #cells = [];
  /** Row and hour of the cell that keys reach. */
  #current = [0, 0];

  /**
   * @param {{texts: import("../cloud/texts.js").Texts, times: import("./times.js").Times}} words
   * @param {(cell: Cell) => void} onOpen looks closer at an hour
   */
  constructor(words, onOpen) {
    this.#words = words;
    const { texts } = words;
    this.#caption.id = "heat-caption";
    this.#grid.setAttribute("role", "grid");
    this.#grid.setAttribute("aria-label", texts.format("story.heat-label"));
    this.#grid.setAttribute("aria-describedby", "heat-caption");
    this.#readout.setAttribute("aria-hidden", "true");
    this.#foot.append(this.#readout, createKey(texts));
    this.element.append(this.#caption, this.#grid, this.#foot);
    this.#foot.hidden = true;
    this.#grid.addEventListener("pointerover", ({ target }) => this.#readOut(this.#cellOf(target)));
    this.#grid.addEventListener("pointerleave", () => this.#readOut(undefined));
    this.#grid.addEventListener("focusin", ({ target }) => {
      const place = this.#cellOf(target);
      if (place !== undefined) this.#setCurrent(place.row, place.hour);
      this.#readOut(place);
    });
    this.#grid.addEventListener("click", ({ target }) => this.#open(this.#cellOf(target), onOpen));
    this.#grid.addEventListener("keydown", (event) => this.#onKeyDown(event, onOpen));
  }

  /**
   * @param {Row[]} rows none if nothing is known
   * @param {string} caption
   */
  render(rows, caption) {
    setText(this.#caption, caption);
    if (rows.length !== this.#rows.length) this.#createCells(rows.length);
    rows.forEach(({ from, cells }, index) => {
      const before = this.#rows[index];
      const head = this.#grid.children[index + 1].firstElementChild;
      if (head !== null && before?.from !== from) setText(head, this.#words.times.format(from, "day"));
      for (const cell of cells) if (!isAlike(cell, before?.cells[cell.hour])) this.#renderCell(this.#cells[index][cell.hour], cell);
    });
    this.#rows = rows;
  }

  /**
   * @param {HTMLElement} element
   * @param {Cell} cell
   */
  #renderCell(element, cell) {
    const { kind, level, hugs } = cell;
    const { dataset } = element;
    if (dataset.kind !== kind) dataset.kind = kind;
    if (dataset.level !== String(level)) dataset.level = String(level);
    const label = `${this.#words.times.hourName(cell.hour)}: ${cellText(cell, this.#words.texts)}`;
    if (element.getAttribute("aria-label") !== label) element.setAttribute("aria-label", label);
    setText(element, hugs > 0 ? this.#words.texts.number(hugs) : "");
  }

  /** @param {number} count of rows */
  #createCells(count) {
    this.#rows = [];
    this.#grid.replaceChildren(this.#createHead());
    this.#grid.dataset.days = String(count);
    this.#cells = Array.from({ length: count }, () => this.#addRow());
    this.#foot.hidden = this.#grid.hidden = count === 0;
    if (count > 0) this.#setCurrent(count - 1, Math.min(this.#current[1], HOURS - 1));
  }

  #createHead() {
    const head = createElement("div", "heat-row heat-head");
    head.setAttribute("role", "row");
    head.append(createRole("span", "gridcell"));
    for (let hour = 0; hour < HOURS; hour += 1) {
      const label = createRole("span", "columnheader");
      label.append(createElement("span", hour % LABEL_HOURS === 0 ? "" : "visually-hidden", this.#words.times.hourName(hour)));
      head.append(label);
    }
    return head;
  }

  #addRow() {
    const row = createElement("div", "heat-row");
    row.setAttribute("role", "row");
    const cells = Array.from({ length: HOURS }, () => {
      const cell = createRole("span", "gridcell");
      cell.className = "heat-cell";
      cell.tabIndex = -1;
      return cell;
    });
    row.append(createRole("span", "rowheader"), ...cells);
    this.#grid.append(row);
    return cells;
  }

  /** The cell that an element shows. @param {EventTarget | null} element @returns {{row: number, hour: number} | undefined} */
  #cellOf(element) {
    for (const [row, cells] of this.#cells.entries()) {
      const hour = cells.indexOf(/** @type {HTMLElement} */ (element));
      if (hour !== -1) return { row, hour };
    }
    return undefined;
  }

  /** Describe a cell below the map; nothing without one. @param {{row: number, hour: number} | undefined} place */
  #readOut(place) {
    const { texts, times } = this.#words;
    const cell = place === undefined ? undefined : this.#rows[place.row].cells[place.hour];
    if (cell === undefined) setText(this.#readout, "");
    else if (Number.isNaN(cell.from)) setText(this.#readout, cellText(cell, texts));
    else setText(this.#readout, texts.format("story.slider-past", { time: times.range(cell.from, cell.to, "moment"), state: cellText(cell, texts) }));
  }

  /**
   * @param {{row: number, hour: number} | undefined} place
   * @param {(cell: Cell) => void} onOpen
   */
  #open(place, onOpen) {
    if (place === undefined) return;
    this.#setCurrent(place.row, place.hour);
    const cell = this.#rows[place.row].cells[place.hour];
    if (cell.kind !== "ahead" && cell.kind !== "missing") onOpen(cell);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {(cell: Cell) => void} onOpen
   */
  #onKeyDown(event, onOpen) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const [row, hour] = this.#current;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#open({ row, hour }, onOpen);
      return;
    }
    const forward = getComputedStyle(this.#grid).direction === "rtl" ? -1 : 1;
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowLeft: [row, hour - forward],
      ArrowRight: [row, hour + forward],
      ArrowUp: [row - 1, hour],
      ArrowDown: [row + 1, hour],
      Home: [row, 0],
      End: [row, HOURS - 1],
      PageUp: [0, hour],
      PageDown: [this.#cells.length - 1, hour],
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#setCurrent(to[0], to[1]);
    this.#cells[this.#current[0]][this.#current[1]].focus();
  }

  /**
   * Let the Tab key reach this cell and no other.
   *
   * @param {number} row
   * @param {number} hour
   */
  #setCurrent(row, hour) {
    const before = this.#cells[this.#current[0]]?.[this.#current[1]];
    if (before !== undefined) before.tabIndex = -1;
    this.#current = [Math.max(0, Math.min(this.#cells.length - 1, row)), Math.max(0, Math.min(HOURS - 1, hour))];
    this.#cells[this.#current[0]][this.#current[1]].tabIndex = 0;
  }
}

/** Whether two cells of one hour look the same: of most hours nothing changes. @param {Cell} cell @param {Cell | undefined} before */
function isAlike(cell, before) {
  return before !== undefined && cell.kind === before.kind && cell.level === before.level && cell.hugs === before.hugs && cell.ms === before.ms;
}

/**
 * @param {"span"} tag
 * @param {string} role
 */
function createRole(tag, role) {
  const element = createElement(tag);
  element.setAttribute("role", role);
  return element;
}

/** What the shades mean. @param {import("../cloud/texts.js").Texts} texts */
function createKey(texts) {
  const shades = createElement("span");
  shades.append(texts.format("story.heat-fewer"));
  for (let level = 0; level <= LEVELS; level += 1) shades.append(createSample(level === 0 ? "none" : "hugged", level));
  shades.append(texts.format("story.heat-more"));
  const others = ["asleep", "unheard"].map((kind) => {
    const other = createElement("span");
    other.append(createSample(kind, 0), texts.format(`story.${kind}`));
    return other;
  });
  const key = createElement("p", "heat-key");
  key.append(shades, ...others);
  return key;
}

/**
 * @param {string} kind
 * @param {number} level
 */
function createSample(kind, level) {
  const sample = createElement("i", "heat-cell");
  sample.dataset.kind = kind;
  sample.dataset.level = String(level);
  return sample;
}
