/**
 * Pillowcast's client: the live state of cloud pillows, in any page or program.
 *
 *     import { connect } from "https://pillows.example/pillowcast.js";
 *
 *     for await (const { id, pillow } of connect({ pillows: ["cloud-1"] })) {
 *       console.log(id, pillow ? pillow.state : "removed");
 *     }
 *
 * It keeps one connection to the gateway, reconnects, resumes at its cursor, and reports at every
 * moment whether the known states are live.
 */

import { changeDetail, ClientEventTarget, createEvent } from "./client_events.js";
import { ServerClock } from "./clock.js";
import { Connection, TIMERS } from "./connection.js";
import { RefusedError } from "./errors.js";
import { FrameError, parseFrame } from "./frames.js";
import { gatewayFolder } from "./gateway_url.js";
import { checkCursor, checkPillows } from "./options.js";
import { PingTimer } from "./ping_timer.js";
import { SseSocket } from "./sse.js";
import { freshness, pageFreshness, Store } from "./store.js";
import { Subscription } from "./subscription.js";
import { UpdateIterators } from "./update_iterator.js";
import { WakeEvents } from "./wake_events.js";

export { RefusedError } from "./errors.js";
export { FrameError, isPillowId } from "./frames.js";
export { journey, quantile } from "./latency.js";
export { instant } from "./store.js";

/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./frames.js").Hops} Hops */
/** @typedef {import("./store.js").Update} Update */
/** @typedef {import("./store.js").Freshness} Freshness */
/** @typedef {import("./store.js").PillowFreshness} PillowFreshness */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./connection.js").Surroundings} Surroundings */
/** @typedef {import("./latency.js").Journey} Journey */
/** @typedef {import("./client_events.js").ChangeDetail} ChangeDetail */
/** @typedef {import("./client_events.js").ConnectionDetail} ConnectionDetail */
/** @typedef {import("./client_events.js").ChangeEvent} ChangeEvent */
/** @typedef {import("./client_events.js").ConnectionEvent} ConnectionEvent */
/** @typedef {import("./client_events.js").FaultEvent} FaultEvent */
/** @typedef {import("./client_events.js").AnyListener} AnyListener */
/** @typedef {import("./client_events.js").ListenOptions} ListenOptions */
/** @typedef {import("./client_events.js").UnlistenOptions} UnlistenOptions */
/** @typedef {import("./client_events.js").Events} Events */
/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("./options.js").Injected} Injected */

/** Create a client and connect it. @param {Options & Injected & Surroundings} [options] */
export function connect(options) {
  return new Pillowcast(options).open();
}

/**
 * The live state of pillows.
 *
 * Events:
 * - `change` (ChangeEvent): there are new states
 * - `connection` (ConnectionEvent): whether the known states are live has changed, or `status` has
 * - `fault` (FaultEvent): a frame was invalid and is ignored; `detail` is its FrameError
 *
 * `for await` over it gives every Update, beginning with the known states.
 */
export class Pillowcast extends ClientEventTarget {
  #folder;
  #subscription;
  #store;
  #serverClock = new ServerClock();
  #connection;
  #pings;
  #clock;
  #wakeEvents;
  #signal;
  #iterators = new UpdateIterators();

  /** Whether a snapshot arrived on the current connection. */
  #synced = false;
  /** Whether a connection or an attempt has failed. */
  #lost = false;
  #isOpening = false;
  /** The message of the gateway's newest `error` frame. */
  #gatewayError = "";
  /** @type {ConnectionDetail} */
  #reported;

  /** @param {Options & Injected & Surroundings} [options] */
  constructor({ url, pillows = "all", cursor = null, signal, onChange, onConnection, page, ...injected } = {}) {
    super();
    this.#folder = gatewayFolder(url);
    this.#subscription = new Subscription(checkPillows(pillows), cursor !== null);
    this.#store = new Store(checkCursor(cursor));
    this.#signal = signal;
    this.#clock = injected.clock ?? Date.now;
    this.#wakeEvents = new WakeEvents(page, () => this.#connection.wake());
    this.#reported = { connection: "connecting", since: this.#clock() };
    this.#pings = new PingTimer(injected.timers ?? TIMERS, () => this.#ping());
    const fetch = injected.fetch ?? globalThis.fetch?.bind(globalThis);
    this.#connection = new Connection({
      events: fetch === undefined ? null : (address) => new SseSocket(address, fetch),
      ...injected,
      address: () => this.#address(),
      onMessage: (data) => this.#onMessage(data),
      onStatus: (status) => this.#onStatus(status),
      sendProbe: () => this.#ping(),
    });
    if (onChange) this.addEventListener("change", onChange);
    if (onConnection) this.addEventListener("connection", onConnection);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** The position in the gateway's stream, from which another client can resume; null at first. */
  get cursor() {
    return this.#store.cursor;
  }

  /** The newest state of each pillow by id: the gateway's own objects, which must not be changed. */
  get pillows() {
    return this.#store.pillows;
  }

  /** Whether the known states are live. */
  get connection() {
    return this.#reported.connection;
  }

  /** Local time in ms since when `connection` has its value. */
  get since() {
    return this.#reported.since;
  }

  /** What the connection does, when the next attempt is, and why. @returns {Status} */
  get status() {
    const status = this.#connection.status;
    return { ...status, reason: this.#gatewayError || status.reason };
  }

  /** Shortest measured round trip to the gateway in ms; null before the first measurement. */
  get roundTripMs() {
    return this.#serverClock.roundTripMs;
  }

  /** The gateway's clock minus the local clock in ms; null before the first frame. */
  get clockOffsetMs() {
    return this.#serverClock.offsetMs;
  }

  /** The gateway's time, in ms since 1970. */
  now() {
    return this.#serverClock.at(this.#clock());
  }

  /** How long ago the state of a pillow was true, in ms; NaN of an unknown pillow. @param {string} id */
  age(id) {
    return this.now() - this.#store.asOf(id);
  }

  /**
   * Freshness of a pillow: `live`, `quiet` or `notconnected` while the connection is live, otherwise
   * `stale`; `unknown` of a pillow without a state.
   *
   * @param {string} id
   * @returns {PillowFreshness}
   */
  freshness(id) {
    const pillow = this.#store.pillows.get(id);
    if (pillow === undefined) return "unknown";
    if (this.connection !== "live") return "stale";
    return freshness(pillow, this.age(id));
  }

  /** Subscribe to these pillows instead. @param {string[] | "all"} pillows */
  subscribe(pillows) {
    this.#subscription.pillows = checkPillows(pillows);
    this.#sendSubscribe();
  }

  /** Connect; without effect if it is connected already, or if its signal was aborted. */
  open() {
    if (this.#signal?.aborted) return this;
    this.#wakeEvents.start();
    if (this.#connection.status.phase === "idle") this.#lost = false;
    this.#isOpening = true;
    this.#connection.open();
    this.#isOpening = false;
    return this;
  }

  /** Try again now instead of after the delay; also after a refusal. */
  retry() {
    this.#connection.open();
  }

  /** Disconnect; every `for await` ends. `open()` connects again. */
  close() {
    this.#wakeEvents.stop();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#connection.close();
    this.#iterators.end();
  }

  /** Every update, beginning with the known states. */
  [Symbol.asyncIterator]() {
    const iterator = this.#iterators.create(this.#store);
    const { phase, code, reason } = this.status;
    if (phase === "stopped") iterator.end(new RefusedError(code, reason));
    else if (phase === "idle") iterator.end();
    return iterator;
  }

  #onAbort = () => this.close();

  #address() {
    const address = new URL("ws", this.#folder);
    address.protocol = address.protocol.replace("http", "ws");
    this.#subscription.requestByUrl(address.searchParams, this.#store.cursor);
    return address.href;
  }

  #sendSubscribe() {
    const frame = JSON.stringify({ type: "subscribe", pillows: this.#subscription.pillows });
    if (this.#connection.send(frame)) this.#subscription.requested();
    else this.#connection.addressChanged();
  }

  /** @param {unknown} data */
  #onMessage(data) {
    let frame;
    try {
      frame = parseFrame(data);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.dispatchEvent(createEvent("fault", error));
      return;
    }
    const now = this.#clock();
    if (frame.type === "snapshot") this.#onSnapshot();
    // A pong's `sent` is this client's own time, not the gateway's.
    if (frame.type === "pong") this.#serverClock.observePong(frame, now);
    else if ("sent" in frame) this.#serverClock.observe(frame.sent, now);
    if (frame.type === "goodbye") this.#connection.setReconnectWindow(frame.reconnect_ms);
    if (frame.type === "error") this.#gatewayError = frame.message;

    const updates = this.#store.apply(frame);
    this.#reportConnection();
    if (updates.length === 0) return;
    this.#iterators.push(updates);
    this.dispatchEvent(createEvent("change", changeDetail(updates, frame)));
  }

  #onSnapshot() {
    this.#subscription.answered();
    this.#gatewayError = "";
    if (this.#synced) return;
    this.#synced = true;
    // A new connection may lead to another machine, with another clock.
    this.#serverClock.reset();
    this.#pings.start();
  }

  /** @param {Status} status */
  #onStatus(status) {
    // The subscription may have changed while the connection was being opened.
    if (status.phase === "open" && this.#subscription.isOutdated) this.#sendSubscribe();
    if (status.phase !== "open") {
      this.#synced = false;
      this.#pings.stop();
    }
    if (status.phase !== "open" && status.phase !== "connecting") this.#lost = true;
    this.#reportConnection({ hasStatusChanged: true });
    if (status.phase === "stopped") this.#iterators.end(new RefusedError(status.code, this.status.reason));
  }

  /** Evaluate whether the known states are live; fire `connection` if that or `status` has changed. */
  #reportConnection({ hasStatusChanged = false } = {}) {
    const connection = pageFreshness({ synced: this.#synced, lost: this.#lost, broker: this.#store.broker });
    const hasChanged = connection !== this.#reported.connection;
    if (hasChanged) {
      // A lost connection was lost after its last message, not when the loss was detected.
      const lostAt = connection === "disconnected" ? this.#connection.lastReceivedAt : null;
      this.#reported = { connection, since: lostAt ?? this.#clock() };
    }
    if (!hasChanged && !hasStatusChanged) return;
    const dispatch = () => this.dispatchEvent(createEvent("connection", { ...this.#reported }));
    // `connect` has not returned the client yet, so a listener could not use it. In the microtask the
    // detail is the state at that time: a socket may fail at once.
    if (this.#isOpening) queueMicrotask(dispatch);
    else dispatch();
  }

  #ping() {
    this.#connection.send(JSON.stringify({ type: "ping", sent: this.#clock() }));
  }
}
