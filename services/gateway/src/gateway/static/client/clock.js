/**
 * The gateway's time, seen from here: a visitor's clock may be minutes wrong, ages must not be.
 *
 * Pure: the local time comes in as an argument, in ms since 1970.
 */

/** A measurement older than this gives way to a newer one, even a worse one: clocks drift. */
export const TRUSTED_FOR_MS = 300_000;

export class ServerClock {
  /** @type {number | null} */
  #offset = null;
  /** @type {{roundTrip: number, at: number} | null} */
  #measured = null;

  /** Forget everything. */
  reset() {
    this.#offset = null;
    this.#measured = null;
  }

  /**
   * A frame said when it was sent.  It was under way for some time, so the true offset is at
   * least this; the largest seen is the nearest, until a ping has measured it.
   *
   * @param {number} sent gateway time
   * @param {number} now local time
   */
  heard(sent, now) {
    if (this.#measured !== null) return;
    this.#offset = Math.max(this.#offset ?? -Infinity, sent - now);
  }

  /**
   * A pong came back: the gateway had it halfway between sending and now.
   *
   * @param {{sent: number, received: number}} pong
   * @param {number} now local time
   */
  measured({ sent, received }, now) {
    const roundTrip = now - sent;
    if (!(roundTrip >= 0)) return;
    const best = this.#measured;
    const isBetter = best === null || roundTrip <= best.roundTrip || now - best.at > TRUSTED_FOR_MS;
    if (!isBetter) return;
    this.#measured = { roundTrip, at: now };
    this.#offset = received - (sent + roundTrip / 2);
  }

  /** Shortest time to the gateway and back, in ms, or null before it was measured. */
  get roundTripMs() {
    return this.#measured?.roundTrip ?? null;
  }

  /** By how many ms the gateway's clock is ahead of this one; null while nothing is known. */
  get offsetMs() {
    return this.#offset;
  }

  /**
   * The gateway's time in ms at local time `now`; local time itself while nothing is known.
   *
   * @param {number} now
   */
  at(now) {
    return now + (this.#offset ?? 0);
  }
}
