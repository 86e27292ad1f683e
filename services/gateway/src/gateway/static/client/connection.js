/**
 * A connection to the gateway that reconnects after a loss.
 *
 * It opens and closes sockets, detects silence and schedules attempts; retry_policy.js decides the
 * delays. It does not read the messages. WebSocket class, clocks, timers and random numbers are
 * injected, so that tests need neither a browser nor real time.
 */

import { isOwnOrigin } from "./gateway_url.js";
import { FORBIDDEN, RetryPolicy, TOO_MANY_REQUESTS, UNAUTHORIZED } from "./retry_policy.js";
import { SILENCE_TIMEOUT_MS, SilenceTimer } from "./silence_timer.js";
import { SocketOpener, TIMERS } from "./sockets.js";

export const CONNECT_TIMEOUT_MS = 10_000;
/** After a probe, an answer must arrive within this time. */
export const PROBE_TIMEOUT_MS = 5_000;
/** A connection that has received messages for this long resets the count of failed attempts. */
export const STABLE_AFTER_MS = 5_000;
/** The `readyState` of an open socket. */
const OPEN = 1;
const OFFLINE = "the browser is offline";

/** @typedef {import("./sockets.js").SocketLike} SocketLike */
/** @typedef {import("./sockets.js").Transport} Transport */

/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "open" | "waiting" | "suspended" | "stopped"} phase
 * @property {Transport} transport of the current or the last connection
 * @property {number | null} retryInMs ms until the next attempt, in phase `waiting`
 * @property {number | null} retryAt the same as local time in ms
 * @property {number | null} code close code that led to this phase, if there was one
 * @property {string} reason text for a person
 */

/**
 * @typedef {object} Surroundings dependencies that a test replaces
 * @property {import("./sockets.js").SocketClass | null} [WebSocket] null for none; `globalThis.WebSocket` by default
 * @property {import("./sockets.js").OpenEvents | null} [events] opens the SSE stream
 * @property {() => number} [clock] wall clock in ms, for times that are shown
 * @property {() => number} [monotonic] clock in ms that nobody sets, for durations
 * @property {import("./sockets.js").Timers} [timers]
 * @property {() => number} [random] in [0, 1)
 */

/**
 * @typedef {object} Callbacks
 * @property {(transport: Transport) => string} address returns the URL for each attempt
 * @property {(data: unknown) => void} onMessage
 * @property {(status: Status) => void} onStatus
 * @property {() => boolean} [mayRenew] whether a connection that ended with UNAUTHORIZED may be tried again
 * @property {() => boolean} [isOffline] whether there is no network, so that no attempt is made
 * @property {() => void} [sendProbe] sends a message that the gateway answers
 */

export class Connection {
  /** Monotonic time in ms of the last message; null before the first. @type {number | null} */
  lastReceivedAt = null;

  #callbacks;
  #sockets;
  #clock;
  #now;
  #timers;
  #random;

  #policy = new RetryPolicy();
  /** @type {SocketLike | null} */
  #socket = null;
  /** @type {Transport} */
  #transport = "websocket";
  /** @type {Pick<Status, "phase" | "code" | "reason">} */
  #state = { phase: "idle", code: null, reason: "" };
  /** Monotonic time of the next attempt, in phase `waiting`. */
  #retryDueAt = 0;
  /** The message of the socket's error event; browsers give none. */
  #socketError = "";
  /** Whether it was revived since it was last stable: a refusal, which is a message too, is tested once. */
  #isRevived = false;
  #silence;
  /** @type {{retry: unknown, stable: unknown}} */
  #running = { retry: null, stable: null };

  /** @param {Callbacks & Surroundings} options */
  constructor({ address, onMessage, onStatus, mayRenew, isOffline, sendProbe, WebSocket, events, clock, monotonic, timers, random }) {
    const never = () => false;
    this.#callbacks = { address, onMessage, onStatus, mayRenew: mayRenew ?? never, isOffline: isOffline ?? never, sendProbe: sendProbe ?? (() => {}) };
    this.#sockets = new SocketOpener(WebSocket, events ?? null);
    this.#clock = clock ?? Date.now;
    this.#now = monotonic ?? (() => performance.now());
    this.#timers = timers ?? TIMERS;
    this.#random = random ?? Math.random;
    this.#silence = new SilenceTimer(this.#timers, this.#now, () => this.lose(this.#state.phase === "open" ? "nothing was heard" : "no answer"));
  }

  /** What it does now. @returns {Status} */
  get status() {
    const retryInMs = this.#state.phase === "waiting" ? Math.max(0, this.#retryDueAt - this.#now()) : null;
    return { ...this.#state, transport: this.#transport, retryInMs, retryAt: retryInMs === null ? null : this.#clock() + retryInMs };
  }

  get phase() {
    return this.#state.phase;
  }

  /** Connect now, also from the phases `waiting`, `suspended` and `stopped`; without effect on an open connection. */
  open() {
    if (this.#socket !== null) return;
    this.#cancel("retry");
    this.#policy.startAttempt();
    try {
      ({ socket: this.#socket, transport: this.#transport } = this.#sockets.open(this.#callbacks.address, this.#policy.prefersSse));
    } catch (error) {
      // The address is malformed, or there is no transport: another attempt would fail as well.
      this.#setState({ phase: "stopped", reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    const socket = this.#socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#received(event.data);
    this.#socketError = "";
    socket.onerror = (event) => {
      this.#socketError = event?.message ?? "";
    };
    socket.onclose = (event) => this.#closed(event);
    this.#silence.start(CONNECT_TIMEOUT_MS);
    this.#setState({ phase: "connecting" });
  }

  /** Close without another attempt; `open()` connects again. */
  close() {
    this.#end({ phase: "idle" });
  }

  /** Close until `wake()`, because nobody looks; without effect on a connection that is not wanted. @param {string} reason */
  suspend(reason) {
    const { phase } = this.#state;
    if (phase === "connecting" || phase === "open" || phase === "waiting") this.#end({ phase: "suspended", reason });
  }

  /** @param {Pick<Status, "phase"> & Partial<Status>} state */
  #end(state) {
    this.#detachSocket();
    this.#cancel("retry");
    this.#policy.resetAttempts();
    this.#setState(state);
  }

  /**
   * Send text over an open WebSocket; nothing is queued.
   *
   * @param {string} text
   * @returns {boolean} whether it was sent
   */
  send(text) {
    if (this.#state.phase !== "open" || this.#transport === "events") return false;
    // A browser logs an error for what is sent while the socket closes, which is before its event `close`.
    if ((this.#socket?.readyState ?? OPEN) !== OPEN) return false;
    this.#socket?.send(text);
    return true;
  }

  /** Reconnect an event stream, because its URL has changed and it cannot send. */
  addressChanged() {
    if (this.#transport !== "events" || this.#socket === null) return;
    this.#detachSocket();
    this.open();
  }

  /**
   * End a wait and probe an open connection, because the network or the visitor is back. The wait
   * after TOO_MANY_REQUESTS does not end. A refused client is revived once: the refusal may be over.
   */
  wake() {
    const { phase, code } = this.#state;
    if ((phase === "waiting" && code !== TOO_MANY_REQUESTS) || phase === "suspended") {
      this.open();
    } else if (phase === "stopped" && !this.#isRevived) {
      this.#isRevived = true;
      this.open();
    } else if (phase === "open") {
      this.probe();
    }
  }

  /** Probe an open connection, because the network is lost, and make no attempt until `wake()`. */
  networkLost() {
    const { phase, code } = this.#state;
    if (phase === "waiting" && code !== TOO_MANY_REQUESTS) this.suspend(OFFLINE);
    else this.probe();
  }

  /**
   * Check an open connection now.
   *
   * @param {number} [silentMs] a time without messages that the monotonic clock did not measure
   */
  probe(silentMs = 0) {
    if (this.#state.phase !== "open") return;
    const isWebSocket = this.#transport === "websocket";
    if (this.#now() - (this.lastReceivedAt ?? 0) >= SILENCE_TIMEOUT_MS || (!isWebSocket && silentMs >= SILENCE_TIMEOUT_MS)) {
      this.lose("nothing was heard");
    } else if (isWebSocket) {
      this.#silence.start(PROBE_TIMEOUT_MS);
      this.#callbacks.sendProbe();
    }
  }

  /** Draw the delay after the next loss from this window in ms. @param {[number, number]} window */
  setReconnectWindow(window) {
    this.#policy.setReconnectWindow(window);
  }

  #opened() {
    this.lastReceivedAt = this.#now();
    this.#silence.start(SILENCE_TIMEOUT_MS);
    this.#setState({ phase: "open" });
  }

  /** @param {unknown} data */
  #received(data) {
    this.lastReceivedAt = this.#now();
    this.#silence.received(this.lastReceivedAt);
    this.#policy.messageReceived(this.#transport);
    // From the first message, because a gateway that accepts and then drops gives no service.
    if (this.#running.stable === null) this.#start("stable", STABLE_AFTER_MS, () => this.#stabilized());
    this.#callbacks.onMessage(data);
  }

  #stabilized() {
    this.#policy.resetAttempts();
    this.#isRevived = false;
  }

  /** Close, and try again later: the connection is of no use. @param {string} reason */
  lose(reason) {
    this.#detachSocket();
    this.#retry(null, reason);
  }

  /** @param {{code: number, reason: string, retryMs?: number | undefined}} event */
  #closed({ code, reason, retryMs }) {
    this.#detachSocket();
    if (code === FORBIDDEN && isOwnOrigin(this.#callbacks.address("events")) && this.#policy.turnToSse(this.#transport)) {
      this.open();
      return;
    }
    const isRenewable = code === UNAUTHORIZED && this.#callbacks.mayRenew();
    if (this.#policy.isTerminal(code) && !isRenewable) this.#setState({ phase: "stopped", code, reason });
    else this.#retry(code, reason || this.#socketError || (this.#policy.hasReceived ? "the connection was lost" : "no connection came about"), retryMs);
  }

  /**
   * @param {number | null} code
   * @param {string} reason
   * @param {number | undefined} [retryMs]
   */
  #retry(code, reason, retryMs) {
    const delay = this.#policy.fail(code, this.#random(), retryMs);
    if (this.#callbacks.isOffline() && code !== TOO_MANY_REQUESTS) return this.suspend(OFFLINE);
    this.#retryDueAt = this.#now() + delay;
    this.#start("retry", delay, () => this.open());
    this.#setState({ phase: "waiting", code, reason });
  }

  /** Detach the handlers and then close, so that a late event is not taken for one of the next socket. */
  #detachSocket() {
    this.#silence.stop();
    this.#cancel("stable");
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * @param {"retry" | "stable"} name
   * @param {number} ms
   * @param {() => void} callback
   */
  #start(name, ms, callback) {
    this.#cancel(name);
    this.#running[name] = this.#timers.setTimeout(callback, ms);
  }

  /** @param {"retry" | "stable"} name */
  #cancel(name) {
    this.#timers.clearTimeout(this.#running[name]);
    this.#running[name] = null;
  }

  /** @param {Pick<Status, "phase"> & Partial<Status>} state */
  #setState({ phase, code = null, reason = "" }) {
    this.#state = { phase, code, reason };
    this.#callbacks.onStatus(this.status);
  }
}
