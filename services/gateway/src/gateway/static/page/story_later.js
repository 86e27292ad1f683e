/** Stands for the story of the pillows until it is loaded, which is when the page needs it. */

import { Later } from "./lazy.js";

/** @type {[string, string]} */
const NOTHING = ["", ""];

/** @typedef {Pick<import("./story.js").Story, "show" | "past" | "lastHeard" | "hugs" | "card">} Story */

export class StoryLater {
  /** @type {Later<Story>} */
  #later;
  /** What is to be shown once it is loaded. @type {Parameters<Story["show"]>} */
  #wanted = [null, "", false];

  /**
   * @param {() => Promise<Story>} load
   * @param {() => number} now monotonic, in ms
   */
  constructor(load, now) {
    this.#later = new Later("story", load, now);
  }

  /**
   * Show the story of the pillow in the detail view.
   *
   * @param {string | null} id null for the wall
   * @param {string} order of the wall
   * @param {boolean} isNeeded whether the page shows something of it
   */
  show(id, order, isNeeded) {
    this.#wanted = [id, order, isNeeded];
    const story = this.#later.part;
    if (story !== null) story.show(id, order, isNeeded);
    else if (isNeeded) this.#later.need((loaded) => loaded.show(...this.#wanted));
  }

  /** @param {string} id */
  past(id) {
    return this.#later.part?.past(id) ?? null;
  }

  /** @param {string} id */
  lastHeard(id) {
    return this.#later.part?.lastHeard(id) ?? "";
  }

  /** @param {string} id */
  hugs(id) {
    return this.#later.part?.hugs(id) ?? 0;
  }

  /** @param {string} id */
  card(id) {
    return this.#later.part?.card(id) ?? NOTHING;
  }
}
