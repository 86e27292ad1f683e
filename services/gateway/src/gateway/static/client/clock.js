/**
 * Estimates the gateway's clock, because a visitor's clock may be minutes wrong and ages must not be.
 *
 * Pure: times are arguments. Local times come from a monotonic clock, because a person or NTP may set
 * the wall clock at any moment.
 */

/** A newer measurement replaces one that is older than this, even a better one: clocks drift. */
export const MEASUREMENT_VALID_MS = 300_000;
/** A contradiction larger than this is no error of a measurement: one of the clocks was set, or stood still. */
export const MIN_JUMP_MS = 1_000;

export class ServerClock {
  /** @type {{offset: number, roundTrip: number, at: number} | null} */
  #measurement = null;
  /** @type {WindowedMax} */
  #floor = new WindowedMax(MEASUREMENT_VALID_MS);

  /** Discard the estimate. */
  reset() {
    this.#measurement = null;
    this.#floor = new WindowedMax(MEASUREMENT_VALID_MS);
  }

  /** Discard the measurement; its offset is used until the next pong. @param {number} now local time */
  distrust(now) {
    if (this.#measurement === null) return;
    this.#floor = new WindowedMax(MEASUREMENT_VALID_MS);
    this.#floor.add(this.#measurement.offset, now);
    this.#measurement = null;
  }

  /**
   * Use the send time of a frame. The frame has travelled for an unknown time, so the true offset is
   * at least the difference: until a ping measures it, the largest difference is the best estimate.
   *
   * @param {number} sent gateway time
   * @param {number} now local time
   * @returns {boolean} whether the measurement cannot be right any more, so that a ping is due
   */
  observe(sent, now) {
    const difference = sent - now;
    const measured = this.#measurement;
    this.#floor.add(difference, now);
    if (measured === null || difference <= measured.offset) return false;
    // No frame arrives before it is sent. A local clock that stood still, as some do while a machine
    // sleeps, and a gateway's clock that was set forward both show like this.
    if (difference > measured.offset + measured.roundTrip / 2 + MIN_JUMP_MS) {
      this.reset();
      this.#floor.add(difference, now);
      return true;
    }
    measured.offset = difference;
    return false;
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
    const offset = received - (sent + roundTrip / 2);
    const isBetter = best === null || roundTrip <= best.roundTrip || now - best.at > MEASUREMENT_VALID_MS;
    // Two right measurements differ by half of both round trips at most.
    const isRefuted = best !== null && Math.abs(offset - best.offset) > (roundTrip + best.roundTrip) / 2 + MIN_JUMP_MS;
    if (!isBetter && !isRefuted) return;
    this.#measurement = { offset, roundTrip, at: now };
    // An older difference is above a gateway's clock that was set back.
    if (isRefuted) this.#floor = new WindowedMax(MEASUREMENT_VALID_MS);
  }

  /** Shortest measured round trip in ms; null before the first pong. */
  get roundTripMs() {
    return this.#measurement?.roundTrip ?? null;
  }

  /** The gateway's clock minus the local monotonic clock in ms; null without an estimate. */
  get offsetMs() {
    return this.#measurement?.offset ?? this.#floor.value;
  }
}

/** The largest of the values of the last one to two windows; without pings a clock that drifts needs an end. */
class WindowedMax {
  #windowMs;
  #startedAt = -Infinity;
  /** @type {number | null} */
  #current = null;
  /** @type {number | null} */
  #previous = null;

  /** @param {number} windowMs */
  constructor(windowMs) {
    this.#windowMs = windowMs;
  }

  /**
   * @param {number} value
   * @param {number} now
   */
  add(value, now) {
    if (now - this.#startedAt >= this.#windowMs) {
      this.#previous = this.#current;
      this.#current = null;
      this.#startedAt = now;
    }
    this.#current = Math.max(this.#current ?? -Infinity, value);
  }

  /** Null before the first value. */
  get value() {
    if (this.#previous === null || this.#current === null) return this.#current;
    return Math.max(this.#previous, this.#current);
  }
}

/**
 * Detects that the wall clock was set, or that the machine slept while the monotonic clock stood still:
 * the two clocks then differ by another amount than before.
 */
export class JumpDetector {
  /** @type {number | null} */
  #difference = null;

  /**
   * @param {number} wall
   * @param {number} monotonic
   * @returns {number} by how many ms the wall clock jumped since the last check; 0 for none
   */
  check(wall, monotonic) {
    const before = this.#difference;
    this.#difference = wall - monotonic;
    const jump = before === null ? 0 : this.#difference - before;
    return Math.abs(jump) >= MIN_JUMP_MS ? jump : 0;
  }
}
