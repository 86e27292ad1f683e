/** How long updates took from the queue to the screen; pure. */

import { quantile } from "../client/hops.js";

/** The newest so many count. */
export const KEPT = 500;
/** Upper ends of the bars in ms, the last one open: each about 1.6 times the one before. */
export const BARS = [25, 40, 63, 100, 160, 250, 400, 630, 1000, 1600, 2500, 4000, Infinity];

export class Latencies {
  #values = [];
  #rough = [];

  /**
   * @param {number} ms
   * @param {boolean} [atMost] whether it may be up to a second less
   */
  add(ms, atMost = false) {
    this.#values.push(ms);
    this.#rough.push(atMost);
    if (this.#values.length > KEPT) {
      this.#values.shift();
      this.#rough.shift();
    }
  }

  /**
   * @returns {{count: number, rough: number, p50: number, p95: number, p99: number, bars: number[]}}
   *   `count`: of the values kept; `rough`: of those that may be less; `bars`: how many lie in each
   */
  summary() {
    const bars = BARS.map(() => 0);
    for (const value of this.#values) bars[BARS.findIndex((end) => value <= end)] += 1;
    const at = (share) => quantile(this.#values, share);
    const rough = this.#rough.filter(Boolean).length;
    return { count: this.#values.length, rough, p50: at(0.5), p95: at(0.95), p99: at(0.99), bars };
  }
}
