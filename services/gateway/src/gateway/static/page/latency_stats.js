/** Statistics of the latency from the queue to the screen. Pure. */

import { quantile } from "../client/latency.js";

/** Number of latencies kept, the newest ones. */
export const MAX_VALUES = 500;
/** Upper ends of the histogram's bars in ms: each about 1.6 times the one before, the last one open. */
export const BARS = [25, 40, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, Infinity];

/**
 * @typedef {object} Summary
 * @property {number} count number of latencies
 * @property {number} upperBounds number of those that are upper bounds
 * @property {number} p50 median in ms
 * @property {number} p95
 * @property {number} p99
 * @property {number[]} bars number of latencies in each of BARS
 */

export class LatencyStats {
  /** @type {number[]} */
  #values = [];
  /** @type {boolean[]} */
  #areUpperBounds = [];

  /**
   * @param {number} ms
   * @param {boolean} [atMost] whether it is an upper bound, up to a second too long
   */
  add(ms, atMost = false) {
    this.#values.push(ms);
    this.#areUpperBounds.push(atMost);
    if (this.#values.length > MAX_VALUES) {
      this.#values.shift();
      this.#areUpperBounds.shift();
    }
  }

  /** @returns {Summary} */
  summary() {
    const bars = BARS.map(() => 0);
    for (const value of this.#values) bars[BARS.findIndex((end) => value <= end)] += 1;
    const at = (/** @type {number} */ share) => quantile(this.#values, share);
    const upperBounds = this.#areUpperBounds.filter(Boolean).length;
    return { count: this.#values.length, upperBounds, p50: at(0.5), p95: at(0.95), p99: at(0.99), bars };
  }
}
