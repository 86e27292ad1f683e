/**
 * Decides when the next attempt to connect is made, and by which transport. Pure: random numbers
 * are arguments.
 */

import { backoff, delayWithin } from "./backoff.js";

/** Close code of a gateway that received too many requests from this client. */
export const TOO_MANY_REQUESTS = 4429;
/** Close code of a gateway that needs a token, or another one. */
export const UNAUTHORIZED = 4401;
/** Close code of a gateway that does not allow this page, or a pillow that it asks for. */
export const FORBIDDEN = 4403;
/** Minimum delay in ms after TOO_MANY_REQUESTS. */
export const TOO_MANY_DELAY_MS = 30_000;

/** Longest wait in ms that a server may ask for. */
const MAX_ASKED_MS = 600_000;

/** Close codes after which another attempt would be refused as well. */
const TERMINAL_CODES = new Set([4400, UNAUTHORIZED, FORBIDDEN, 4408]);
/** A full gateway refuses many clients at once: their first delay is drawn from a wider window. */
const MIN_ATTEMPT = new Map([[1013, 4]]);
/**
 * Of attempts in a row that brought no message, every second uses SSE. Where a WebSocket has worked
 * before, it is more likely that the gateway is down: there only every fourth does.
 */
const SSE_EVERY = 2;
const SSE_EVERY_AFTER_WEBSOCKET = 4;

export class RetryPolicy {
  /** Failed attempts in a row. */
  #attempt = 0;
  /** Attempts in a row that brought no message. */
  #silentAttempts = 0;
  #hasReceived = false;
  #hasWebSocketWorked = false;
  #mustUseSse = false;
  /** @type {[number, number] | null} */
  #reconnectWindow = null;

  /** Whether the current attempt brought a message. */
  get hasReceived() {
    return this.#hasReceived;
  }

  /** Whether the next attempt should use SSE even if there is a WebSocket. */
  get prefersSse() {
    if (this.#mustUseSse) return true;
    const every = this.#hasWebSocketWorked ? SSE_EVERY_AFTER_WEBSOCKET : SSE_EVERY;
    return this.#silentAttempts % every === every - 1;
  }

  /** Whether a close code forbids another attempt. @param {number} code */
  isTerminal(code) {
    return TERMINAL_CODES.has(code);
  }

  /**
   * Use SSE from now on, because the gateway does not allow a WebSocket of its own page: a proxy names
   * another host, and not every browser says of a WebSocket that it is of the same origin.
   *
   * @param {"websocket" | "events"} transport that was refused
   * @returns {boolean} false if SSE was refused as well
   */
  turnToSse(transport) {
    this.#mustUseSse = transport === "websocket" && !this.#mustUseSse;
    return this.#mustUseSse;
  }

  startAttempt() {
    this.#reconnectWindow = null;
    this.#hasReceived = false;
  }

  /** @param {"websocket" | "events"} transport by which a message was received */
  messageReceived(transport) {
    this.#hasReceived = true;
    if (transport === "websocket") this.#hasWebSocketWorked = true;
  }

  /** The connection is stable, or was closed on purpose: count failed attempts from 0. */
  resetAttempts() {
    this.#attempt = 0;
  }

  /** Draw the next delay from this window in ms, which the gateway sent. @param {[number, number]} window */
  setReconnectWindow(window) {
    this.#reconnectWindow = window;
  }

  /**
   * Count the current attempt as failed.
   *
   * @param {number | null} code close code; null without one
   * @param {number} random a number in [0, 1)
   * @param {number | undefined} [askedMs] what the server asks to wait; anything that is no time counts as none
   * @returns {number} delay in ms before the next attempt
   */
  fail(code, random, askedMs) {
    const delay = Math.max(0, Math.min(askedMs || 0, MAX_ASKED_MS)) + this.#delay(code, random);
    this.#attempt += 1;
    this.#silentAttempts = this.#hasReceived ? 0 : this.#silentAttempts + 1;
    return delay;
  }

  /**
   * @param {number | null} code
   * @param {number} random
   */
  #delay(code, random) {
    if (this.#reconnectWindow !== null) return delayWithin(this.#reconnectWindow, random);
    if (code === TOO_MANY_REQUESTS) return TOO_MANY_DELAY_MS + backoff(this.#attempt, random);
    return backoff(Math.max(this.#attempt, MIN_ATTEMPT.get(code ?? 0) ?? 0), random);
  }
}
