/**
 * One connection that comes back.
 *
 * Lives here: when to open, by which way, when to give a connection up, when to try again and
 * when not to.  Not here: what the text means.  WebSocket, clock, timers and random numbers are
 * handed in, so that all of it can be tested in no time and without a browser.
 */

import { backoff, withinWindow } from "./backoff.js";

export const SUBPROTOCOL = "pillowcast.v1";
export const CONNECT_TIMEOUT_MS = 10_000;
export const SILENCE_MS = 30_000;
export const PROBE_MS = 5_000;
export const STABLE_AFTER_MS = 5_000;
export const TOO_MANY_MS = 30_000;

const TERMINAL = new Set([4400, 4401, 4403, 4408]);
const TOO_MANY = 4429;
// A gateway that is full hears from everyone it refused; they start from a wider window.
const FIRST_ATTEMPT = new Map([[1013, 4]]);
// Of attempts in a row that brought no word, every second goes by events; where a WebSocket has
// worked before, it is more likely the gateway that is away, and only every fourth does.
const EVENTS_EVERY = 2;
const EVENTS_EVERY_AFTER_SUCCESS = 4;

/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "open" | "waiting" | "stopped"} phase
 * @property {"websocket" | "events"} transport by which it is, or was last, connected
 * @property {number | null} retryAt when waiting: local time in ms of the next attempt
 * @property {number | null} code close code that led here, when there was one
 * @property {string} reason in words, for a person
 */

/**
 * What a WebSocket and an event stream have in common. The events are loosely typed, so that the
 * class of a browser, of Node.js and of the package `ws` are each accepted.
 *
 * @typedef {object} SocketLike
 * @property {((event?: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage told of a `data`
 * @property {((event?: any) => void) | null} onerror told of a `message` where there is one
 * @property {((event: any) => void) | null} onclose told of a `code` and a `reason`
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
 * @typedef {object} Surroundings what a test replaces
 * @property {SocketClass | null} [WebSocket] null for none; the surroundings' own unless given
 * @property {((address: string) => SocketLike) | null} [events] opens the stream as events
 * @property {() => number} [clock] ms; wall clock, because it goes on in a sleeping laptop
 * @property {Timers} [timers]
 * @property {() => number} [random] in [0, 1)
 */

/**
 * @typedef {object} Wiring
 * @property {() => string} address asked anew for each attempt
 * @property {(text: unknown) => void} onText
 * @property {(status: Status) => void} onStatus
 * @property {() => void} [onProbe] say something that will be answered
 */

/** @type {Timers} */
export const TIMERS = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class Connection {
  /** @type {Status} */
  status = { phase: "idle", transport: "websocket", retryAt: null, code: null, reason: "" };
  /** Local time in ms at which anything last arrived; null before that. @type {number | null} */
  lastHeard = null;

  #address;
  #onText;
  #onStatus;
  #onProbe;
  #WebSocket;
  #events;
  #clock;
  #timers;
  #random;

  /** @type {SocketLike | null} */
  #socket = null;
  /** @type {"websocket" | "events"} */
  #transport = "websocket";
  #attempt = 0;
  // Attempts in a row that brought no word, and whether a WebSocket ever brought one.
  #mute = 0;
  #isHeard = false;
  #hasWorked = false;
  /** @type {[number, number] | null} */
  #goodbye = null;
  // What the socket said of its end beforehand; browsers say nothing.
  #trouble = "";
  #deadline = 0;
  /** @type {{wait: unknown, watch: unknown, stable: unknown}} */
  #running = { wait: null, watch: null, stable: null };

  /** @param {Wiring & Surroundings} options */
  constructor({ address, onText, onStatus, onProbe, WebSocket, events, clock, timers, random }) {
    this.#address = address;
    this.#onText = onText;
    this.#onStatus = onStatus;
    this.#onProbe = onProbe ?? (() => {});
    const own = /** @type {SocketClass | undefined} */ (/** @type {unknown} */ (globalThis.WebSocket));
    this.#WebSocket = WebSocket === undefined ? own : WebSocket;
    this.#events = events ?? null;
    this.#clock = clock ?? Date.now;
    this.#timers = timers ?? TIMERS;
    this.#random = random ?? Math.random;
  }

  /** Open now, unless it is open or on its way already; also ends a wait and a stop. */
  open() {
    if (this.#socket !== null) return;
    this.#cancel("wait");
    this.#goodbye = null;
    this.#isHeard = false;
    /** @type {SocketLike} */
    let socket;
    try {
      socket = this.#make(this.#address());
    } catch (error) {
      // Refused before it was tried, as for a malformed address: trying again changes nothing.
      this.#become({ phase: "stopped", reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#heard(event.data);
    this.#trouble = "";
    socket.onerror = (event) => {
      this.#trouble = event?.message ?? "";
    };
    socket.onclose = (event) => this.#closed(event.code, event.reason);
    this.#watch(CONNECT_TIMEOUT_MS);
    this.#become({ phase: "connecting" });
  }

  /** Close for good; `open()` starts anew. */
  close() {
    this.#abandon();
    this.#cancel("wait");
    this.#attempt = 0;
    this.#become({ phase: "idle" });
  }

  /** Send text if it can be sent now; nothing is ever queued up. @param {string} text */
  send(text) {
    if (this.status.phase !== "open" || this.#transport === "events") return false;
    this.#socket?.send(text);
    return true;
  }

  /** The address is another one now: where nothing can be said, connect anew. */
  readdress() {
    if (this.#transport !== "events" || this.#socket === null) return;
    this.#abandon();
    this.open();
  }

  /**
   * The network or the visitor is back: do not sit out a wait, do not trust an old connection.
   * A gateway that said "too many" is left in peace all the same.
   */
  hurry() {
    const { phase, code } = this.status;
    if (phase === "waiting" && code !== TOO_MANY) {
      this.open();
    } else if (phase === "open") {
      if (this.#clock() - (this.lastHeard ?? 0) >= SILENCE_MS) {
        this.#lose("nothing was heard");
      } else if (this.#transport === "websocket") {
        this.#watch(PROBE_MS);
        this.#onProbe();
      }
    }
  }

  /** The gateway is leaving: come back after a delay in this window of ms. @param {[number, number]} window */
  expectGoodbye(window) {
    this.#goodbye = window;
  }

  /** @param {string} address */
  #make(address) {
    const every = this.#hasWorked ? EVENTS_EVERY_AFTER_SUCCESS : EVENTS_EVERY;
    const isTurn = this.#mute % every === every - 1;
    if (this.#events !== null && (isTurn || !this.#WebSocket)) {
      this.#transport = "events";
      return this.#events(address);
    }
    if (!this.#WebSocket) throw new Error("there is no WebSocket here: hand one in");
    this.#transport = "websocket";
    return new this.#WebSocket(address, [SUBPROTOCOL]);
  }

  #opened() {
    this.lastHeard = this.#clock();
    this.#watch(SILENCE_MS);
    this.#become({ phase: "open" });
  }

  /** @param {unknown} text */
  #heard(text) {
    this.lastHeard = this.#clock();
    this.#deadline = this.lastHeard + SILENCE_MS;
    this.#isHeard = true;
    if (this.#transport === "websocket") this.#hasWorked = true;
    // Good service starts with the first word: one that accepts and then drops is none.
    if (this.#running.stable === null) {
      this.#start("stable", STABLE_AFTER_MS, () => {
        this.#attempt = 0;
      });
    }
    this.#onText(text);
  }

  /** Give the connection up unless something arrives within `ms`. @param {number} ms */
  #watch(ms) {
    this.#deadline = this.#clock() + ms;
    const check = () => {
      const left = this.#deadline - this.#clock();
      if (left > 0) {
        this.#start("watch", left, check);
      } else {
        const opened = this.status.phase === "open";
        this.#lose(opened ? "nothing was heard" : "no answer");
      }
    };
    this.#start("watch", ms, check);
  }

  /** @param {string} reason */
  #lose(reason) {
    this.#abandon();
    this.#retry(null, reason);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    this.#abandon();
    if (TERMINAL.has(code)) this.#become({ phase: "stopped", code, reason });
    else this.#retry(code, reason || this.#trouble || (this.#isHeard ? "the connection was lost" : "no connection came about"));
  }

  /**
   * @param {number | null} code
   * @param {string} reason
   */
  #retry(code, reason) {
    const delay = this.#delay(code);
    this.#attempt += 1;
    this.#mute = this.#isHeard ? 0 : this.#mute + 1;
    this.#start("wait", delay, () => this.open());
    this.#become({ phase: "waiting", retryAt: this.#clock() + delay, code, reason });
  }

  /** @param {number | null} code */
  #delay(code) {
    const random = this.#random();
    if (this.#goodbye !== null) return withinWindow(this.#goodbye, random);
    if (code === TOO_MANY) return TOO_MANY_MS + backoff(this.#attempt, random);
    return backoff(Math.max(this.#attempt, FIRST_ATTEMPT.get(code ?? 0) ?? 0), random);
  }

  /** Part from the socket first, so that nothing it still says can be taken for the next one's. */
  #abandon() {
    this.#cancel("watch");
    this.#cancel("stable");
    const socket = this.#socket;
    if (socket === null) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * @param {"wait" | "watch" | "stable"} name
   * @param {number} ms
   * @param {() => void} callback
   */
  #start(name, ms, callback) {
    this.#cancel(name);
    this.#running[name] = this.#timers.setTimeout(callback, ms);
  }

  /** @param {"wait" | "watch" | "stable"} name */
  #cancel(name) {
    this.#timers.clearTimeout(this.#running[name]);
    this.#running[name] = null;
  }

  /** @param {Partial<Status>} status */
  #become(status) {
    this.status = { phase: "idle", transport: this.#transport, retryAt: null, code: null, reason: "", ...status };
    this.#onStatus(this.status);
  }
}
