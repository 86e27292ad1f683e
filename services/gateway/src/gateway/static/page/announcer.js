/**
 * Decides which changes of clouds a screen reader announces, and when, so that it is not flooded.
 * Pure: the time is an argument.
 */

import { announcementText, MAX_NAMED } from "../cloud/format.js";

/** Minimum time between two announcements. */
export const MIN_INTERVAL_MS = 10_000;
/** Minimum time before an announcement that gives only the number of clouds, because it says little. */
export const MIN_INTERVAL_OF_MANY_MS = 60_000;

export class Announcer {
  #changed = new Set();
  #announcedAt = -Infinity;
  #texts;

  /** @param {import("../cloud/texts.js").Texts} texts */
  constructor(texts) {
    this.#texts = texts;
  }

  /** Note that the state of a cloud has changed. @param {string} id */
  add(id) {
    this.#changed.add(id);
  }

  /**
   * Take the next announcement, if one is due.
   *
   * @param {number} now ms
   * @param {(id: string) => string} activityOf the current activity of a cloud in words
   * @param {string | null} [only] the cloud of the detail view; changes of others are dropped
   * @param {(id: string) => string} [nameOf] what a cloud is called
   * @returns {string} "" for none
   */
  next(now, activityOf, only = null, nameOf = (id) => id) {
    if (only !== null) for (const id of this.#changed) if (id !== only) this.#changed.delete(id);
    const interval = this.#changed.size > MAX_NAMED ? MIN_INTERVAL_OF_MANY_MS : MIN_INTERVAL_MS;
    if (this.#changed.size === 0 || now - this.#announcedAt < interval) return "";
    const text = announcementText(new Map([...this.#changed].map((id) => [id, activityOf(id)])), this.#texts, nameOf);
    this.#changed.clear();
    this.#announcedAt = now;
    return text;
  }
}
