/**
 * Detects that nothing arrives any more.
 *
 * The timer itself measures the silence, and the monotonic clock only shortens the next wait: a clock
 * that stands still, as some do while a machine sleeps, delays the detection by one period at most.
 */

/** A connection without a message for this long is lost: the gateway sends at least every 20 s. */
export const SILENCE_TIMEOUT_MS = 30_000;

export class SilenceTimer {
  #timers;
  #now;
  #onSilence;
  /** @type {unknown} */
  #timer = null;
  /** When a message arrived since the timer was started; null for none. @type {number | null} */
  #receivedAt = null;

  /**
   * @param {import("./sockets.js").Timers} timers
   * @param {() => number} now monotonic time in ms
   * @param {() => void} onSilence
   */
  constructor(timers, now, onSilence) {
    this.#timers = timers;
    this.#now = now;
    this.#onSilence = onSilence;
  }

  /** Call back unless a message arrives within `ms`; after the first, SILENCE_TIMEOUT_MS applies. @param {number} ms */
  start(ms) {
    this.stop();
    this.#receivedAt = null;
    this.#timer = this.#timers.setTimeout(() => this.#check(), ms);
  }

  /** A message arrived. @param {number} now */
  received(now) {
    this.#receivedAt = now;
  }

  stop() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #check() {
    const left = this.#receivedAt === null ? 0 : this.#receivedAt + SILENCE_TIMEOUT_MS - this.#now();
    if (left > 0) this.start(Math.min(left, SILENCE_TIMEOUT_MS));
    else this.#onSilence();
  }
}
