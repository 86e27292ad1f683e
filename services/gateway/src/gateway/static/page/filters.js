/** The bar above the wall: the number of clouds in each state, the filters and the order. */

import { stateColor } from "../cloud/cloud.js";
import { byId, createElement, setText } from "../cloud/dom.js";
import { STATES } from "../cloud/poses.js";
import { needsFilters } from "./layout.js";

/** Delay after a key before the name filter is applied. */
const TYPING_DELAY_MS = 120;

/** A newer gateway may have more states than are known here: each has a chip, up to this number of all. */
const MAX_CHIPS = 24;

/** @typedef {import("./route.js").Filter} Filter */

export class Filters {
  #bar;
  /** @type {Map<string, {chip: HTMLElement, count: HTMLElement}>} */
  #chips = new Map();
  /** @type {HTMLInputElement} */
  #name;
  /** @type {HTMLSelectElement} */
  #order;
  #shownCount;
  /** Opens the fields, where there is no room for them at once. */
  #toggle;
  /** @type {Filter} */
  #filter = { states: [], name: "", order: "name" };
  #chipBar;
  #onChange;
  #texts;

  /**
   * @param {Document} document
   * @param {import("../cloud/texts.js").Texts} texts
   * @param {(filter: Filter) => void} onChange
   */
  constructor(document, texts, onChange) {
    this.#texts = texts;
    this.#onChange = onChange;
    this.#bar = byId(document, "filters");
    this.#name = byId(document, "name-filter");
    this.#order = byId(document, "sort-order");
    this.#shownCount = byId(document, "shown-count");
    this.#toggle = byId(document, "filter-toggle");
    this.#chipBar = byId(document, "state-filters");
    this.#addChips(STATES);
    this.#listen();
    byId(document, "reset-filters").addEventListener("click", () => {
      this.set({ states: [], name: "", order: this.#filter.order });
      onChange(this.#filter);
    });
  }

  /** Show a filter that did not come from this bar. @param {Filter} filter */
  set(filter) {
    this.#filter = { ...filter };
    this.#name.value = filter.name;
    this.#order.value = filter.order;
    this.#renderPressed();
    // What selects or sorts the clouds is not hidden.
    if (filter.name !== "" || filter.order !== "name") this.openFields(true);
  }

  /** Show the fields also where there is no room for them at once. @param {boolean} isOpen */
  openFields(isOpen) {
    this.#bar.classList.toggle("open", isOpen);
    this.#toggle.setAttribute("aria-expanded", String(isOpen));
  }

  /**
   * @param {Map<string, number>} counts number of pillows in each state
   * @param {number} shown number of pillows that the filter selects
   * @param {number} all
   */
  render(counts, shown, all) {
    this.#bar.hidden = !needsFilters(all);
    this.#addChips(counts.keys());
    for (const [state, { chip, count }] of this.#chips) {
      const number = counts.get(state) ?? 0;
      setText(count, this.#texts.number(number));
      chip.classList.toggle("zero", number === 0);
    }
    setText(this.#shownCount, shown === all ? "" : this.#texts.format("filters.shown", { shown, all }));
  }

  /** @param {Iterable<string>} states those that have a chip already are left out */
  #addChips(states) {
    for (const state of states) {
      if (state !== "unknown" && !this.#chips.has(state) && this.#chips.size < MAX_CHIPS) this.#chipBar.append(this.#createChip(state));
    }
  }

  /** @param {string} state */
  #createChip(state) {
    const chip = createElement("button", "chip");
    const count = createElement("span", "count", this.#texts.number(0));
    chip.type = "button";
    chip.dataset.filter = state;
    chip.style.setProperty("--state", stateColor(state));
    chip.setAttribute("aria-pressed", "false");
    chip.append(createElement("span", "dot"), createElement("span", "", this.#texts.state(state)), " ", count);
    chip.addEventListener("click", () => {
      const { states } = this.#filter;
      this.#filter.states = states.includes(state) ? states.filter((one) => one !== state) : [...states, state];
      this.#renderPressed();
      this.#onChange(this.#filter);
    });
    this.#chips.set(state, { chip, count });
    return chip;
  }

  #listen() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    this.#toggle.addEventListener("click", () => {
      this.openFields(!this.#bar.classList.contains("open"));
      if (this.#bar.classList.contains("open")) this.#name.focus();
    });
    this.#name.addEventListener("input", () => {
      this.#filter.name = this.#name.value;
      clearTimeout(typing);
      typing = setTimeout(() => this.#onChange(this.#filter), TYPING_DELAY_MS);
    });
    this.#order.addEventListener("change", () => {
      this.#filter.order = this.#order.value;
      this.#onChange(this.#filter);
    });
  }

  #renderPressed() {
    this.#addChips(this.#filter.states);
    for (const [state, { chip }] of this.#chips) chip.setAttribute("aria-pressed", String(this.#filter.states.includes(state)));
  }
}
