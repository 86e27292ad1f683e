/** Measures how large the tiles of a crowd must be for their texts: the visitor chooses the text size. */

import { createElement } from "../cloud/dom.js";
import { describePillow } from "../cloud/format.js";
import { STATES } from "../cloud/poses.js";
import { Card } from "./card.js";
import { computeGrid } from "./grid.js";
import { fitTile, tileProperties } from "./layout.js";
import { observeSize } from "./observe_size.js";

const MINUTE_MS = 60_000;
/** What makes the longest texts. */
const STALE = { fresh: "stale", ageMs: 59 * MINUTE_MS, isRetained: true };

/** @typedef {import("../client/frames.js").Pillow} Pillow */
/** @typedef {import("../cloud/texts.js").Texts} Texts */
/** @typedef {import("./layout.js").Tile & {height: number}} FittedTile */

export class TileProbe {
  #container;
  #card;
  /** Its size changes with the text size of the page, also with a browser's zoom of text only. */
  #ruler = createElement("span", "ruler", "M");
  /** The last result, and for what. @type {FittedTile | undefined} */
  #fitted;
  #fittedFor = "";

  /**
   * @param {HTMLElement} container the wall, whose style sheets apply to its tiles
   * @param {Texts} texts
   * @param {() => void} onTextSize called when the size of the page's text has changed
   */
  constructor(container, texts, onTextSize) {
    this.#card = new Card(true, texts);
    this.#container = container;
    const [longest] = STATES.map(pillowIn).sort((one, other) => textOf(other, texts).length - textOf(one, texts).length);
    this.#card.element.classList.add("probe");
    this.#card.assign("m");
    this.#card.render(longest, STALE, () => ["", ""]);
    container.before(this.#ruler);
    observeSize(this.#ruler, () => {
      this.#fittedFor = "";
      onTextSize();
    });
  }

  /**
   * A tile that fits its content, of which the wall gets the custom properties.
   *
   * @param {number} space width of the wall
   * @param {import("./layout.js").Tile} tile
   * @returns {FittedTile}
   */
  fit(space, tile) {
    const key = `${space} ${tile.minWidth}`;
    if (this.#fitted !== undefined && key === this.#fittedFor) return this.#fitted;
    const { element } = this.#card;
    this.#container.append(element);
    element.style.width = "";
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const fitted = fitTile(tile, { rem, space, width: element.getBoundingClientRect().width });
    for (const [name, value] of tileProperties(fitted)) this.#container.style.setProperty(name, value);
    element.style.width = `${computeGrid(0, space, { ...fitted, height: 0 }).width}px`;
    const height = Math.ceil(element.getBoundingClientRect().height);
    element.remove();
    this.#fittedFor = key;
    return (this.#fitted = { ...fitted, height });
  }
}

/** @param {string} state @returns {Pillow} */
function pillowIn(state) {
  return /** @type {Pillow} */ ({ pillow: "m", state, at: "", battery: 1 });
}

/** @param {Pillow} pillow @param {Texts} texts */
function textOf(pillow, texts) {
  return describePillow(pillow, STALE, texts).activity;
}
