/**
 * One WebSocket that comes back.
 *
 * Lives here: when to open, when to give a connection up, when to try again and when not to.
 * Not here: what the text means.  WebSocket, clock, timers and random numbers are handed in,
 * so that all of it can be tested in no time and without a browser.
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

/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "open" | "waiting" | "stopped"} phase
 * @property {number | null} retryAt when waiting: local time in ms of the next attempt
 * @property {number | null} code close code that led here, when there was one
 * @property {string} reason in words, for a person
 */

export class Connection {
  /** @type {Status} */
  status = { phase: "idle", retryAt: null, code: null, reason: "" };
  /** Local time in ms at which anything last arrived; null before that. */
  lastHeard = null;

  #address;
  #onText;
  #onStatus;
  #onProbe;
  #WebSocket;
  #clock;
  #timers;
  #random;

  #socket = null;
  #attempt = 0;
  #goodbye = null;
  #deadline = 0;
  #running = { wait: null, watch: null, stable: null };

  /**
   * @param {object} options
   * @param {() => string} options.address asked anew for each attempt
   * @param {(text: string) => void} options.onText
   * @param {(status: Status) => void} options.onStatus
   * @param {() => void} [options.onProbe] say something that will be answered
   * @param {typeof WebSocket} [options.WebSocket]
   * @param {() => number} [options.clock] ms; wall clock, because it goes on in a sleeping laptop
   * @param {{setTimeout: Function, clearTimeout: Function}} [options.timers]
   * @param {() => number} [options.random]
   */
  constructor({ address, onText, onStatus, onProbe, WebSocket, clock, timers, random }) {
    this.#address = address;
    this.#onText = onText;
    this.#onStatus = onStatus;
    this.#onProbe = onProbe ?? (() => {});
    this.#WebSocket = WebSocket ?? globalThis.WebSocket;
    this.#clock = clock ?? Date.now;
    this.#timers = timers ?? {
      setTimeout: (callback, ms) => setTimeout(callback, ms),
      clearTimeout: (timer) => clearTimeout(timer),
    };
    this.#random = random ?? Math.random;
  }

  /** Open now, unless it is open or on its way already; also ends a wait and a stop. */
  open() {
    if (this.#socket !== null) return;
    this.#cancel("wait");
    this.#goodbye = null;
    let socket;
    try {
      socket = new this.#WebSocket(this.#address(), [SUBPROTOCOL]);
    } catch (error) {
      // Refused before it was tried, as for a malformed address: trying again changes nothing.
      this.#become({ phase: "stopped", reason: error.message });
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#heard(event.data);
    socket.onerror = () => {};
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

  /** Send text if it can be sent now; nothing is ever queued up. */
  send(text) {
    if (this.status.phase !== "open") return false;
    this.#socket.send(text);
    return true;
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
      if (this.#clock() - this.lastHeard >= SILENCE_MS) {
        this.#lose("nothing was heard");
      } else {
        this.#watch(PROBE_MS);
        this.#onProbe();
      }
    }
  }

  /** The gateway is leaving: come back after a delay in this window of ms. */
  expectGoodbye(window) {
    this.#goodbye = window;
  }

  #opened() {
    this.lastHeard = this.#clock();
    this.#watch(SILENCE_MS);
    this.#become({ phase: "open" });
  }

  #heard(text) {
    this.lastHeard = this.#clock();
    this.#deadline = this.lastHeard + SILENCE_MS;
    // Good service starts with the first word: one that accepts and then drops is none.
    if (this.#running.stable === null) {
      this.#start("stable", STABLE_AFTER_MS, () => {
        this.#attempt = 0;
      });
    }
    this.#onText(text);
  }

  /** Give the connection up unless something arrives within `ms`. */
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

  #lose(reason) {
    this.#abandon();
    this.#retry(null, reason);
  }

  #closed(code, reason) {
    this.#abandon();
    if (TERMINAL.has(code)) this.#become({ phase: "stopped", code, reason });
    else this.#retry(code, reason);
  }

  #retry(code, reason) {
    const delay = this.#delay(code);
    this.#attempt += 1;
    this.#start("wait", delay, () => this.open());
    this.#become({ phase: "waiting", retryAt: this.#clock() + delay, code, reason });
  }

  #delay(code) {
    const random = this.#random();
    if (this.#goodbye !== null) return withinWindow(this.#goodbye, random);
    if (code === TOO_MANY) return TOO_MANY_MS + backoff(this.#attempt, random);
    return backoff(Math.max(this.#attempt, FIRST_ATTEMPT.get(code) ?? 0), random);
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

  #start(name, ms, callback) {
    this.#cancel(name);
    this.#running[name] = this.#timers.setTimeout(callback, ms);
  }

  #cancel(name) {
    this.#timers.clearTimeout(this.#running[name]);
    this.#running[name] = null;
  }

  #become(status) {
    this.status = { retryAt: null, code: null, reason: "", ...status };
    this.#onStatus(this.status);
  }
}
