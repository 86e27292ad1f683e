/** What a client knows: the states of the pillows, how fresh they are, and the clocks. */

import { ClientEventTarget } from "./client_events.js";
import { freshnessOf } from "./freshness.js";

/**
 * @typedef {object} Known
 * @property {Pick<import("./store.js").Store, "cursor" | "pillows" | "isLoading" | "retained" | "watching" | "sign" | "isUnconfirmed">} store
 * @property {import("./timekeeper.js").Timekeeper} time
 * @property {import("./freshness.js").Liveness} liveness
 */

export class ClientState extends ClientEventTarget {
  #known;

  /** @param {Known} known */
  constructor(known) {
    super();
    this.#known = known;
  }

  /** The position in the gateway's stream, from which another client can resume; null at first. */
  get cursor() {
    return this.#known.store.cursor;
  }

  /** The newest state of each pillow by id: the gateway's own objects, which must not be changed. */
  get pillows() {
    return this.#known.store.pillows;
  }

  /** Whether states are still to come, of a fleet that is too large for one frame. */
  get isLoading() {
    return this.#known.store.isLoading;
  }

  /** Whether the broker delivers the states that it retains; without them a pillow is unknown until it speaks. */
  get isRetained() {
    return this.#known.store.retained;
  }

  /** How many clients the gateway has, this one among them; null while the connection is not live, or the gateway does not say. */
  get watching() {
    return this.#known.store.watching;
  }

  /** Whether the known states are live. */
  get connection() {
    return this.#known.liveness.connection;
  }

  /** Local time in ms since when `connection` has its value. */
  get since() {
    return this.#known.time.wallTimeOf(this.#known.liveness.since);
  }

  /** For how long `connection` has had its value, in ms, whatever happened to the local time. */
  get lastingMs() {
    return this.#known.time.monotonic() - this.#known.liveness.since;
  }

  /** Shortest measured round trip to the gateway in ms; null before the first measurement. */
  get roundTripMs() {
    return this.#known.time.roundTripMs;
  }

  /** The gateway's clock minus the local clock in ms; null before the first frame. */
  get clockOffsetMs() {
    return this.#known.time.clockOffsetMs;
  }

  /** The queue's clock minus the gateway's in ms; null while the gateway does not know it. */
  get queueOffsetMs() {
    return this.#known.time.queueOffsetMs;
  }

  /** The gateway's time, in ms since 1970. */
  now() {
    return this.#known.time.now();
  }

  /** How long ago the state of a pillow was true, in ms; NaN of an unknown pillow. @param {string} id */
  age(id) {
    return this.now() - (this.#known.store.sign(id)?.asOf ?? NaN);
  }

  /**
   * Freshness of a pillow: `live`, `quiet` or `notconnected` while the connection is live, otherwise
   * `stale`; `unknown` of a pillow without a state.
   *
   * @param {string} id
   * @returns {import("./freshness.js").PillowFreshness}
   */
  freshness(id) {
    const times = { now: this.#known.time.monotonic(), gatewayNow: this.now() };
    return freshnessOf(this.#known.store, id, { isLive: this.connection === "live", ...times });
  }
}
