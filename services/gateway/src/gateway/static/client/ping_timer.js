/** Sends pings: close together at first, to measure the clock soon, then one a minute. */

const FIRST_PINGS_AFTER_MS = [0, 1_000, 3_000];
const PING_INTERVAL_MS = 60_000;

export class PingTimer {
  #timers;
  #ping;
  /** @type {unknown} */
  #timer = null;

  /**
   * @param {import("./sockets.js").Timers} timers
   * @param {() => void} ping
   */
  constructor(timers, ping) {
    this.#timers = timers;
    this.#ping = ping;
  }

  start() {
    this.stop();
    this.#schedule(0);
  }

  stop() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param {number} count pings so far */
  #schedule(count) {
    this.#timer = this.#timers.setTimeout(() => {
      this.#ping();
      this.#schedule(count + 1);
    }, FIRST_PINGS_AFTER_MS[count] ?? PING_INTERVAL_MS);
  }
}
