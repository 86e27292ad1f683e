/**
 * Estimates the gateway's clock, because a visitor's clock may be minutes wrong and ages must not be.
 *
 * Pure: the local time is an argument, in ms since 1970.
 */

/** A newer measurement replaces one that is older than this, even a better one: clocks drift. */
export const MEASUREMENT_VALID_MS = 300_000;

export class ServerClock {
  /** @type {number | null} */
  #offset = null;
  /** @type {{roundTrip: number, at: number} | null} */
  #measurement = null;

  /** Discard the estimate. */
  reset() {
    this.#offset = null;
    this.#measurement = null;
  }

  /**
   * Use the send time of a frame. The frame has travelled for an unknown time, so the true offset is
   * at least the difference: until a ping measures it, the largest difference is the best estimate.
   *
   * @param {number} sent gateway time
   * @param {number} now local time
   */
  observe(sent, now) {
    if (this.#measurement !== null) return;
    this.#offset = Math.max(this.#offset ?? -Infinity, sent - now);
  }

  /**
   * Use a pong. The gateway's receive time lies halfway between the local send time and now.
   *
   * @param {{sent: number, received: number}} pong
   * @param {number} now local time
   */
  observePong({ sent, received }, now) {
    const roundTrip = now - sent;
    if (!(roundTrip >= 0)) return;
    const best = this.#measurement;
    const isBetter = best === null || roundTrip <= best.roundTrip || now - best.at > MEASUREMENT_VALID_MS;
    if (!isBetter) return;
    this.#measurement = { roundTrip, at: now };
    this.#offset = received - (sent + roundTrip / 2);
  }

  /** Shortest measured round trip in ms; null before the first pong. */
  get roundTripMs() {
    return this.#measurement?.roundTrip ?? null;
  }

  /** The gateway's clock minus the local clock in ms; null without an estimate. */
  get offsetMs() {
    return this.#offset;
  }

  /**
   * The gateway's time in ms at local time `now`; local time without an estimate.
   *
   * @param {number} now
   */
  at(now) {
    return now + (this.#offset ?? 0);
  }
}
