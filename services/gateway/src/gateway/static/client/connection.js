/**
 * A connection to the gateway that reconnects after a loss.
 *
 * It opens and closes sockets, detects silence and schedules attempts; retry_policy.js decides the
 * delays. It does not read the messages. WebSocket class, clock, timers and random numbers are
 * injected, so that tests need neither a browser nor real time.
 */

import { RetryPolicy, TOO_MANY_REQUESTS } from "./retry_policy.js";

export const SUBPROTOCOL = "pillowcast.v1";
export const CONNECT_TIMEOUT_MS = 10_000;
/** A connection without a message for this long is lost: the gateway sends at least every 20 s. */
export const SILENCE_TIMEOUT_MS = 30_000;
/** After a probe, an answer must arrive within this time. */
export const PROBE_TIMEOUT_MS = 5_000;
/** A connection that has received messages for this long resets the count of failed attempts. */
export const STABLE_AFTER_MS = 5_000;

/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "open" | "waiting" | "stopped"} phase
 * @property {"websocket" | "events"} transport of the current or the last connection
 * @property {number | null} retryAt local time in ms of the next attempt, in phase `waiting`
 * @property {number | null} code close code that led to this phase, if there was one
 * @property {string} reason text for a person
 */

/**
 * The common interface of a WebSocket and an event stream. The events are loosely typed, so that the
 * classes of a browser, of Node.js and of the package `ws` are all assignable.
 *
 * @typedef {object} SocketLike
 * @property {((event?: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage receives an event with `data`
 * @property {((event?: any) => void) | null} onerror receives an event that may have a `message`
 * @property {((event: any) => void) | null} onclose receives an event with `code` and `reason`
 * @property {(text: string) => void} send
 * @property {() => void} close
 */

/** @typedef {new (address: string, protocols: string[]) => SocketLike} SocketClass */

/**
 * @typedef {object} Timers
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/**
 * @typedef {object} Surroundings dependencies that a test replaces
 * @property {SocketClass | null} [WebSocket] null for none; `globalThis.WebSocket` by default
 * @property {((address: string) => SocketLike) | null} [events] opens the SSE stream
 * @property {() => number} [clock] ms; wall clock, because it continues while a laptop sleeps
 * @property {Timers} [timers]
 * @property {() => number} [random] in [0, 1)
 */

/**
 * @typedef {object} Callbacks
 * @property {() => string} address returns the URL for each attempt
 * @property {(data: unknown) => void} onMessage
 * @property {(status: Status) => void} onStatus
 * @property {() => void} [sendProbe] sends a message that the gateway answers
 */

/** @type {Timers} */
export const TIMERS = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class Connection {
  /** @type {Status} */
  status = { phase: "idle", transport: "websocket", retryAt: null, code: null, reason: "" };
  /** Local time in ms of the last message; null before the first. @type {number | null} */
  lastReceivedAt = null;

  #address;
  #onMessage;
  #onStatus;
  #sendProbe;
  #WebSocket;
  #events;
  #clock;
  #timers;
  #random;

  #policy = new RetryPolicy();
  /** @type {SocketLike | null} */
  #socket = null;
  /** @type {"websocket" | "events"} */
  #transport = "websocket";
  /** The message of the socket's error event; browsers give none. */
  #socketError = "";
  #deadline = 0;
  /** @type {{retry: unknown, silence: unknown, stable: unknown}} */
  #running = { retry: null, silence: null, stable: null };

  /** @param {Callbacks & Surroundings} options */
  constructor({ address, onMessage, onStatus, sendProbe, WebSocket, events, clock, timers, random }) {
    this.#address = address;
    this.#onMessage = onMessage;
    this.#onStatus = onStatus;
    this.#sendProbe = sendProbe ?? (() => {});
    const own = /** @type {SocketClass | undefined} */ (/** @type {unknown} */ (globalThis.WebSocket));
    this.#WebSocket = WebSocket === undefined ? own : WebSocket;
    this.#events = events ?? null;
    this.#clock = clock ?? Date.now;
    this.#timers = timers ?? TIMERS;
    this.#random = random ?? Math.random;
  }

  /** Connect now, also from phase `waiting` or `stopped`; without effect on an open connection. */
  open() {
    if (this.#socket !== null) return;
    this.#cancel("retry");
    this.#policy.startAttempt();
    /** @type {SocketLike} */
    let socket;
    try {
      socket = this.#createSocket(this.#address());
    } catch (error) {
      // The address is malformed, or there is no transport: another attempt would fail as well.
      this.#setStatus({ phase: "stopped", reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#received(event.data);
    this.#socketError = "";
    socket.onerror = (event) => {
      this.#socketError = event?.message ?? "";
    };
    socket.onclose = (event) => this.#closed(event.code, event.reason);
    this.#startSilenceTimer(CONNECT_TIMEOUT_MS);
    this.#setStatus({ phase: "connecting" });
  }

  /** Close without another attempt; `open()` connects again. */
  close() {
    this.#detachSocket();
    this.#cancel("retry");
    this.#policy.resetAttempts();
    this.#setStatus({ phase: "idle" });
  }

  /**
   * Send text over an open WebSocket; nothing is queued.
   *
   * @param {string} text
   * @returns {boolean} whether it was sent
   */
  send(text) {
    if (this.status.phase !== "open" || this.#transport === "events") return false;
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
   * after TOO_MANY_REQUESTS does not end.
   */
  wake() {
    const { phase, code } = this.status;
    if (phase === "waiting" && code !== TOO_MANY_REQUESTS) {
      this.open();
    } else if (phase === "open") {
      if (this.#clock() - (this.lastReceivedAt ?? 0) >= SILENCE_TIMEOUT_MS) {
        this.#lose("nothing was heard");
      } else if (this.#transport === "websocket") {
        this.#startSilenceTimer(PROBE_TIMEOUT_MS);
        this.#sendProbe();
      }
    }
  }

  /** Draw the delay after the next loss from this window in ms. @param {[number, number]} window */
  setReconnectWindow(window) {
    this.#policy.setReconnectWindow(window);
  }

  /** @param {string} address */
  #createSocket(address) {
    if (this.#events !== null && (this.#policy.prefersSse || !this.#WebSocket)) {
      this.#transport = "events";
      return this.#events(address);
    }
    if (!this.#WebSocket) throw new Error("there is no WebSocket class: pass one as the option WebSocket");
    this.#transport = "websocket";
    return new this.#WebSocket(address, [SUBPROTOCOL]);
  }

  #opened() {
    this.lastReceivedAt = this.#clock();
    this.#startSilenceTimer(SILENCE_TIMEOUT_MS);
    this.#setStatus({ phase: "open" });
  }

  /** @param {unknown} data */
  #received(data) {
    this.lastReceivedAt = this.#clock();
    this.#deadline = this.lastReceivedAt + SILENCE_TIMEOUT_MS;
    this.#policy.messageReceived(this.#transport);
    // From the first message, because a gateway that accepts and then drops gives no service.
    if (this.#running.stable === null) this.#start("stable", STABLE_AFTER_MS, () => this.#policy.resetAttempts());
    this.#onMessage(data);
  }

  /** Give the connection up unless a message arrives within `ms`. @param {number} ms */
  #startSilenceTimer(ms) {
    this.#deadline = this.#clock() + ms;
    const check = () => {
      const left = this.#deadline - this.#clock();
      if (left > 0) {
        this.#start("silence", left, check);
      } else {
        const isOpen = this.status.phase === "open";
        this.#lose(isOpen ? "nothing was heard" : "no answer");
      }
    };
    this.#start("silence", ms, check);
  }

  /** @param {string} reason */
  #lose(reason) {
    this.#detachSocket();
    this.#retry(null, reason);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    this.#detachSocket();
    if (this.#policy.isTerminal(code)) this.#setStatus({ phase: "stopped", code, reason });
    else this.#retry(code, reason || this.#socketError || (this.#policy.hasReceived ? "the connection was lost" : "no connection came about"));
  }

  /**
   * @param {number | null} code
   * @param {string} reason
   */
  #retry(code, reason) {
    const delay = this.#policy.fail(code, this.#random());
    this.#start("retry", delay, () => this.open());
    this.#setStatus({ phase: "waiting", retryAt: this.#clock() + delay, code, reason });
  }

  /** Detach the handlers and then close, so that a late event is not taken for one of the next socket. */
  #detachSocket() {
    this.#cancel("silence");
    this.#cancel("stable");
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * @param {"retry" | "silence" | "stable"} name
   * @param {number} ms
   * @param {() => void} callback
   */
  #start(name, ms, callback) {
    this.#cancel(name);
    this.#running[name] = this.#timers.setTimeout(callback, ms);
  }

  /** @param {"retry" | "silence" | "stable"} name */
  #cancel(name) {
    this.#timers.clearTimeout(this.#running[name]);
    this.#running[name] = null;
  }

  /** @param {Partial<Status>} status */
  #setStatus(status) {
    this.status = { phase: "idle", transport: this.#transport, retryAt: null, code: null, reason: "", ...status };
    this.#onStatus(this.status);
  }
}
