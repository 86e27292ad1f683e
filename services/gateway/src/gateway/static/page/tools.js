/** The bar above the wall: how many clouds are in each state, which are shown, and in which order. */

import { STATES, stateColor, stateLabel } from "../cloud/cloud.js";
import { make, write } from "../cloud/writing.js";

const TYPING_MS = 120;

export class Tools {
  #bar;
  #chips = new Map();
  #name;
  #order;
  #shown;
  #sift = { states: [], name: "", order: "name" };

  /**
   * @param {Document} document
   * @param {(sift: object) => void} onSift
   */
  constructor(document, onSift) {
    this.#bar = document.getElementById("tools");
    this.#name = document.getElementById("by-name");
    this.#order = document.getElementById("order");
    this.#shown = document.getElementById("shown");
    const chips = document.getElementById("states");
    const tell = () => onSift(this.#sift);
    for (const state of STATES) {
      const chip = make("button", "chip");
      const count = make("span", "count", "0");
      chip.type = "button";
      chip.dataset.only = state;
      chip.style.setProperty("--state", stateColor(state));
      chip.setAttribute("aria-pressed", "false");
      chip.append(make("span", "dot"), make("span", "word", stateLabel(state)), " ", count);
      chip.addEventListener("click", () => {
        const { states } = this.#sift;
        this.#sift.states = states.includes(state) ? states.filter((one) => one !== state) : [...states, state];
        this.#draw();
        tell();
      });
      chips.append(chip);
      this.#chips.set(state, { chip, count });
    }
    let typing;
    this.#name.addEventListener("input", () => {
      this.#sift.name = this.#name.value;
      clearTimeout(typing);
      typing = setTimeout(tell, TYPING_MS);
    });
    this.#order.addEventListener("change", () => {
      this.#sift.order = this.#order.value;
      tell();
    });
    document.getElementById("anew").addEventListener("click", () => {
      this.set({ states: [], name: "", order: this.#sift.order });
      tell();
    });
  }

  /** Be set so. */
  set(sift) {
    this.#sift = { ...sift };
    this.#name.value = sift.name;
    this.#order.value = sift.order;
    this.#draw();
  }

  /**
   * @param {Map<string, number>} counts pillows in each state
   * @param {number} shown pillows that pass
   * @param {number} all
   */
  show(counts, shown, all) {
    this.#bar.hidden = all < 4;
    for (const [state, { chip, count }] of this.#chips) {
      const number = String(counts.get(state) ?? 0);
      write(count, number);
      chip.classList.toggle("none", number === "0");
    }
    write(this.#shown, shown === all ? "" : `${shown} of ${all}`);
  }

  #draw() {
    for (const [state, { chip }] of this.#chips) chip.setAttribute("aria-pressed", String(this.#sift.states.includes(state)));
  }
}
