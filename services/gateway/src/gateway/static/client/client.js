/** The client: what it knows, its connection, and its events. */

import { addAbortCallback, removeAbortCallback } from "./abort_signals.js";
import { changeDetail, createEvent, parseOrReport } from "./client_events.js";
import { ClientState } from "./client_state.js";
import { Connection } from "./connection.js";
import { RefusedError } from "./errors.js";
import { Liveness } from "./freshness.js";
import { gatewayFolder, streamUrl } from "./gateway_url.js";
import { checkOptions, checkPillows, subscribeFrame } from "./options.js";
import { ShownReporter } from "./shown_reporter.js";
import { HIDDEN_EVENTS_TIMEOUT_MS, HIDDEN_TIMEOUT_MS, PageLifecycle } from "./page_lifecycle.js";
import { Readiness } from "./readiness.js";
import { TIMERS } from "./sockets.js";
import { SseSocket } from "./sse.js";
import { Store } from "./store.js";
import { Subscription } from "./subscription.js";
import { Timekeeper } from "./timekeeper.js";
import { Tokens } from "./tokens.js";
import { UpdateIterators } from "./update_iterator.js";

/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./options.js").AllOptions} AllOptions */

/**
 * The live state of pillows.
 *
 * Events:
 * - `change` (ChangeEvent): there are new states
 * - `connection` (ConnectionEvent): whether the known states are live has changed, or `status` has
 * - `watching` (WatchingEvent): the number of the gateway's clients has changed
 * - `fault` (FaultEvent): a frame was invalid and is ignored; `detail` is its FrameError
 *
 * `for await` over it gives every Update, beginning with the known states.
 */
export class Pillowcast extends ClientState {
  #folder;
  #subscription;
  #store;
  #time;
  #timers;
  #connection;
  #lifecycle;
  #tokens;
  #shown;
  #readiness;
  #signal;
  #iterators = new UpdateIterators(() => this.#onLoopsLeft());

  #liveness;
  #isOpening = false;
  /** Whether it was closed because its last loop was left; another loop opens it again. */
  #isUnread = false;
  /** The message of the gateway's newest `error` frame. */
  #gatewayError = "";

  /** @param {AllOptions} [options] */
  constructor(options = {}) {
    const { url, pillows = "all", cursor = null, token, signal, hiddenTimeoutMs, reportShown = false, onChange, onConnection, page, ...injected } = checkOptions(options);
    const store = new Store(cursor);
    const time = new Timekeeper(injected, { ping: () => this.#ping(), onJump: (ms) => this.#connection.probe(ms) });
    const liveness = new Liveness(time.monotonic());
    const readiness = new Readiness();
    super({ store, time, liveness, readiness });
    this.#readiness = readiness;
    this.#store = store;
    this.#time = time;
    this.#liveness = liveness;
    this.#folder = gatewayFolder(url);
    this.#subscription = new Subscription(pillows, cursor !== null);
    this.#shown = new ShownReporter(reportShown ? (injected.random ?? Math.random)() : 1);
    this.#signal = signal;
    this.#timers = injected.timers ?? TIMERS;
    const lifecycle = { onWake: () => this.#wake(), onSuspend: (/** @type {string} */ reason) => this.#connection.suspend(reason) };
    this.#lifecycle = new PageLifecycle(page, lifecycle, this.#timers, () => {
      if (hiddenTimeoutMs !== undefined) return hiddenTimeoutMs;
      return this.#connection.status.transport === "events" ? HIDDEN_EVENTS_TIMEOUT_MS : HIDDEN_TIMEOUT_MS;
    });
    this.#tokens = new Tokens(token, { timers: this.#timers, clock: injected.clock ?? Date.now }, {
      send: (text) => this.#connection.send(JSON.stringify({ type: "token", token: text })),
      onFault: (reason) => this.#connection.lose(reason),
    });
    const fetch = injected.fetch ?? globalThis.fetch?.bind(globalThis);
    this.#connection = new Connection({
      events: fetch === undefined ? null : (address) => new SseSocket(address, fetch, () => this.#tokens.current()),
      ...injected,
      address: (transport) => this.#address(transport),
      onMessage: (data) => this.#onMessage(data),
      onStatus: (status) => this.#onStatus(status),
      sendProbe: () => this.#ping(),
      // A token that expired is no refusal where another can be had.
      mayRenew: () => this.#liveness.synced && this.#tokens.isRenewable,
    });
    if (onChange) this.addEventListener("change", onChange);
    if (onConnection) this.addEventListener("connection", onConnection);
  }

  /** What the connection does, when the next attempt is, and why. @returns {Status} */
  get status() {
    const status = this.#connection.status;
    return { ...status, reason: this.#gatewayError || status.reason };
  }

  /** Subscribe to these pillows instead. @param {string[] | "all"} pillows */
  subscribe(pillows) {
    this.#subscription.pillows = checkPillows(pillows);
    this.#requestIfDue();
    this.#connection.addressChanged();
  }

  /**
   * Say that these states are on the screen. Some of it is reported, if the option `reportShown` is set and
   * the gateway asks this client: at most once a second.
   *
   * @param {Pillow[]} pillows
   * @param {number} [shown] when, in the gateway's time; now by default
   */
  shown(pillows, shown = this.now()) {
    const text = this.#shown.report(pillows, shown, this.#time.monotonic());
    if (text !== null) this.#connection.send(text);
  }

  /** Connect; without effect if it is connected already, or if its signal was aborted. */
  open() {
    if (this.#signal?.aborted) {
      this.#readiness.fail(this.#signal.reason);
      return this;
    }
    if (this.#signal !== undefined) addAbortCallback(this.#signal, this.#onAbort);
    this.#isUnread = false;
    this.#lifecycle.start();
    if (this.#connection.phase === "idle") this.#liveness.lost = false;
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
    this.#lifecycle.stop();
    if (this.#signal !== undefined) removeAbortCallback(this.#signal, this.#onAbort);
    this.#connection.close();
    this.#iterators.end();
    this.#readiness.fail(this.#signal?.aborted ? this.#signal.reason : new DOMException("the client was closed", "AbortError"));
    this.#isUnread = false;
  }


  /** Every update, beginning with the known states. */
  [Symbol.asyncIterator]() {
    if (this.#isUnread) this.open();
    const iterator = this.#iterators.create(this.#store);
    const { phase, code, reason } = this.status;
    if (phase === "stopped") iterator.end(this.#readiness.told(new RefusedError(code, reason)));
    else if (phase === "idle") iterator.end();
    return iterator;
  }

  #onAbort = () => this.close();

  /** Close once no loop and no listener reads, because the open connection would keep a program running. */
  #onLoopsLeft() {
    this.#timers.setTimeout(() => {
      const { phase } = this.#connection;
      if (this.#iterators.size > 0 || this.hasListener() || this.#readiness.isAwaited || phase === "idle" || phase === "stopped") return;
      this.close();
      this.#isUnread = true;
    }, 0);
  }

  #wake() {
    // The visitor is back: what is shown is not lost until an attempt fails.
    if (this.#connection.phase === "suspended") this.#liveness.lost = false;
    this.#connection.wake();
  }

  /** @param {import("./sockets.js").Transport} transport */
  #address(transport) {
    const address = streamUrl(this.#folder);
    // An event stream cannot send the pillows that the URL does not name.
    this.#subscription.requestByUrl(address.searchParams, this.#store.cursor, { isComplete: transport === "events" });
    return address.href;
  }

  #requestIfDue() {
    if (!this.#subscription.isRequestDue) return;
    if (this.#connection.send(subscribeFrame(this.#subscription.pillows))) this.#subscription.requested();
  }

  /** @param {unknown} data */
  #onMessage(data) {
    const frame = parseOrReport(data, this);
    if (frame === null) return;
    const now = this.#time.monotonic();
    const isLast = frame.type === "snapshot" && this.#onSnapshot(frame);
    this.#time.observe(frame, now);
    if (frame.type === "goodbye") this.#connection.setReconnectWindow(frame.reconnect_ms);
    if (frame.type === "error") this.#gatewayError = frame.message;

    const before = this.#store.watching;
    const updates = this.#store.apply(frame, now, isLast);
    this.#reportWatching(before);
    this.#reportConnection();
    if (updates.length > 0) {
      this.#iterators.push(updates);
      this.dispatchEvent(createEvent("change", changeDetail(updates, frame)));
    }
    if (isLast) this.#readiness.succeed(this);
    if (frame.type === "snapshot") this.#requestIfDue();
  }

  /**
   * @param {import("./frames.js").SnapshotFrame} frame
   * @returns {boolean} whether the client has all that it wants then
   */
  #onSnapshot(frame) {
    this.#gatewayError = "";
    this.#shown.ask(frame.shown);
    if (!this.#liveness.synced) this.#time.start();
    this.#liveness.synced = true;
    return this.#subscription.answered(frame.more === true);
  }

  /** @param {Status} status */
  #onStatus({ phase, code, transport }) {
    if (phase !== "open") {
      this.#liveness.synced = false;
      const { watching } = this.#store;
      this.#store.watching = null;
      this.#reportWatching(watching);
      this.#time.stop();
      this.#tokens.stop();
    } else if (transport === "websocket") {
      this.#tokens.start();
    }
    if (phase === "connecting") this.#readiness.restart();
    if (phase !== "open" && phase !== "connecting") this.#liveness.lost = true;
    this.#reportConnection({ hasStatusChanged: true });
    if (phase !== "stopped") return;
    const error = new RefusedError(code, this.status.reason);
    if (this.#iterators.size > 0) this.#readiness.told(error);
    this.#iterators.end(error);
    this.#readiness.refuse(error, this.#folder.origin + this.#folder.pathname, () => this.hasListener("connection"));
  }

  /** Evaluate whether the known states are live; fire `connection` if that or `status` has changed. */
  #reportConnection({ hasStatusChanged = false } = {}) {
    const { lastReceivedAt } = this.#connection;
    const hasChanged = this.#liveness.evaluate(this.#store.broker, { now: this.#time.monotonic(), lastReceivedAt });
    if (!hasChanged && !hasStatusChanged) return;
    const dispatch = () => this.dispatchEvent(createEvent("connection", { connection: this.connection, since: this.since }));
    // `connect` has not returned the client yet, so a listener could not use it. In the microtask the
    // detail is the state at that time: a socket may fail at once.
    if (this.#isOpening) queueMicrotask(dispatch);
    else dispatch();
  }

  /** @param {number | null} before */
  #reportWatching(before) {
    const { watching } = this.#store;
    if (watching !== before) this.dispatchEvent(createEvent("watching", { watching }));
  }

  #ping() {
    this.#connection.send(JSON.stringify({ type: "ping", sent: this.#time.pingTime() }));
  }
}
