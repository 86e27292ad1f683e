/** What a client knows: the states of the pillows, how fresh they are, and the clocks. */

import { ClientEventTarget } from "./client_events.js";
import { ASYNC_DISPOSE, DISPOSE } from "./dispose.js";
import { freshnessOf } from "./freshness.js";

export class ClientState extends ClientEventTarget {
  #store;
  #time;
  #liveness;
  #readiness;

  /** @param {{store: import("./store.js").Store, time: import("./timekeeper.js").Timekeeper, liveness: import("./freshness.js").Liveness, readiness: import("./readiness.js").Readiness}} known */
  constructor({ store, time, liveness, readiness }) {
    super();
    this.#store = store;
    this.#time = time;
    this.#liveness = liveness;
    this.#readiness = readiness;
  }

  /** Resolves with the client when it has all states; rejects if it is refused or closed before. @returns {Promise<this>} */
  get ready() {
    return this.#readiness.promise;
  }

  /** End all; a client that has a connection overrides it. */
  close() {}

  /** `using` closes the client. */
  [DISPOSE]() {
    this.close();
  }

  async [ASYNC_DISPOSE]() {
    this.close();
  }

  /** The position in the gateway's stream, from which another client can resume; null at first. */
  get cursor() {
    return this.#store.cursor;
  }

  /** The newest state of each pillow by id: the gateway's own objects, which must not be changed. */
  get pillows() {
    return this.#store.pillows;
  }

  /** Whether states are still to come, of a fleet that is too large for one frame. */
  get isLoading() {
    return this.#store.isLoading;
  }

  /** Whether the broker delivers the states that it retains; without them a pillow is unknown until it speaks. */
  get isRetained() {
    return this.#store.retained;
  }

  /** How many clients the gateway has, this one among them; null while the connection is not live, or the gateway does not say. */
  get watching() {
    return this.#store.watching;
  }

  /** Whether the known states are live. */
  get connection() {
    return this.#liveness.connection;
  }

  /** Local time in ms since when `connection` has its value. */
  get since() {
    return this.#time.wallTimeOf(this.#liveness.since);
  }

  /** For how long `connection` has had its value, in ms, whatever happened to the local time. */
  get lastingMs() {
    return this.#time.monotonic() - this.#liveness.since;
  }

  /** Shortest measured round trip to the gateway in ms; null before the first measurement. */
  get roundTripMs() {
    return this.#time.roundTripMs;
  }

  /** The gateway's clock minus the local clock in ms; null before the first frame. */
  get clockOffsetMs() {
    return this.#time.clockOffsetMs;
  }

  /** The queue's clock minus the gateway's in ms; null while the gateway does not know it. */
  get queueOffsetMs() {
    return this.#time.queueOffsetMs;
  }

  /** The gateway's time, in ms since 1970. */
  now() {
    return this.#time.now();
  }

  /** How long ago the state of a pillow was true, in ms; NaN of an unknown pillow. @param {string} id */
  age(id) {
    return this.now() - (this.#store.sign(id)?.asOf ?? NaN);
  }

  /**
   * Freshness of a pillow: `live`, `quiet` or `notconnected` while the connection is live, otherwise
   * `stale`; `unknown` of a pillow without a state.
   *
   * @param {string} id
   * @returns {import("./freshness.js").PillowFreshness}
   */
  freshness(id) {
    const times = { now: this.#time.monotonic(), gatewayNow: this.now() };
    return freshnessOf(this.#store, id, { isLive: this.connection === "live", ...times });
  }
}
