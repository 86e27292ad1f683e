/**
 * What a screen reader is told of the clouds, and when: news, but no chatter.  Pure: the time
 * comes in as an argument.
 */

import { announcement, FEW } from "../cloud/words.js";

/** Clouds are told of this often at most; they never stop moving. */
export const EVERY_MS = 10_000;
/** How many have changed, where they are too many to be named, says little: so often at most. */
export const MANY_EVERY_MS = 60_000;

export class Teller {
  #untold = new Set();
  #toldAt = -Infinity;

  /** A cloud does something else. @param {string} id */
  add(id) {
    this.#untold.add(id);
  }

  /**
   * What to say now.
   *
   * @param {number} now ms
   * @param {(id: string) => string} doingOf what a cloud does now, not what it did when it was added
   * @param {string | null} [only] the cloud that is looked at; of the others nothing is told
   * @returns {string} "" for nothing
   */
  next(now, doingOf, only = null) {
    if (only !== null) for (const id of this.#untold) if (id !== only) this.#untold.delete(id);
    const every = this.#untold.size > FEW ? MANY_EVERY_MS : EVERY_MS;
    if (this.#untold.size === 0 || now - this.#toldAt < every) return "";
    const text = announcement(new Map([...this.#untold].map((id) => [id, doingOf(id)])));
    this.#untold.clear();
    this.#toldAt = now;
    return text;
  }
}
