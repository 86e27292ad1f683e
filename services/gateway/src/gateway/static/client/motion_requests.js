/** Says whose motion is wanted, again after each reconnect, and not so often that the gateway's limit is met. */

/** @typedef {import("./sockets.js").Timers} Timers */

/** The gateway takes so many pillows in one message. */
export const MAX_MOTION = 256;
/** The gateway's limit is four messages a second, and requests for other pillows count as well. */
export const MOTION_INTERVAL_MS = 300;

const NONE = motionFrame([]);

/** @param {string[]} pillows */
function motionFrame(pillows) {
  return JSON.stringify({ type: "motion", pillows });
}

export class MotionRequests {
  #timers;
  #monotonic;
  #send;
  #wanted = NONE;
  /** What the gateway knows; null while it does not take motion frames. @type {string | null} */
  #sent = null;
  #nextAt = -Infinity;
  /** @type {unknown} */
  #timer = null;

  /**
   * @param {Timers} timers
   * @param {() => number} monotonic in ms
   * @param {(text: string) => boolean} send
   */
  constructor(timers, monotonic, send) {
    this.#timers = timers;
    this.#monotonic = monotonic;
    this.#send = send;
  }

  /** Want the motion of these pillows, and of no others. @param {Iterable<string>} pillows */
  want(pillows) {
    this.#wanted = motionFrame([...new Set(pillows)].sort().slice(0, MAX_MOTION));
    this.#sendIfDue();
  }

  /** A snapshot arrived. @param {boolean} isTaken whether it says that the gateway takes motion frames */
  answered(isTaken) {
    if (isTaken) this.#sent ??= NONE;
    this.#sendIfDue();
  }

  /** The connection is lost. */
  stop() {
    this.#sent = null;
    this.#cancel();
  }

  #cancel() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }

  #sendIfDue() {
    if (this.#sent === null || this.#sent === this.#wanted || this.#timer !== null) return;
    const now = this.#monotonic();
    if (now < this.#nextAt) {
      this.#timer = this.#timers.setTimeout(() => {
        this.#timer = null;
        this.#sendIfDue();
      }, this.#nextAt - now);
    } else if (this.#send(this.#wanted)) {
      this.#sent = this.#wanted;
      this.#nextAt = now + MOTION_INTERVAL_MS;
    }
  }
}
