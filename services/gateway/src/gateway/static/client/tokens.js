/**
 * The token of a client: where it comes from, and when it is renewed. It is sent in a message or a
 * header, never in an address, because addresses are logged.
 */

/** Renew a token after this part of the time that it is still valid for. */
const RENEW_AT = 0.8;
const MIN_RENEWAL_MS = 1_000;
/** A browser's timer takes 2³¹ − 1 ms at most; a token is renewed each day anyway. */
const MAX_RENEWAL_MS = 86_400_000;

/** @typedef {string | (() => string | Promise<string>)} Token */

/**
 * The content of a JSON Web Token, which is not checked; empty if it is none. Only `exp` and ids are
 * read, so other characters than those of ASCII may be wrong.
 *
 * @param {string} token
 * @returns {{exp?: unknown, pillows?: unknown}}
 */
export function claimsOf(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(part)) ?? {};
  } catch {
    return {};
  }
}

/**
 * How long a token may be used before another is asked for; null for one without an end.
 *
 * @param {string} token
 * @param {number} now wall clock in ms
 */
export function renewalDelay(token, now) {
  const { exp } = claimsOf(token);
  if (typeof exp !== "number" || !Number.isFinite(exp)) return null;
  return Math.min(MAX_RENEWAL_MS, Math.max(MIN_RENEWAL_MS, (exp * 1000 - now) * RENEW_AT));
}

/** Sends the token when a WebSocket opens, and a new one before that expires. */
export class Tokens {
  #token;
  #timers;
  #clock;
  #callbacks;
  /** @type {unknown} */
  #timer = null;
  /** Counts connections, so that an answer for an earlier one is not sent. */
  #round = 0;

  /**
   * @param {Token | undefined} token
   * @param {{timers: import("./sockets.js").Timers, clock: () => number}} time
   * @param {{send: (token: string) => void, onFault: (reason: string) => void}} callbacks
   */
  constructor(token, { timers, clock }, callbacks) {
    this.#token = token;
    this.#timers = timers;
    this.#clock = clock;
    this.#callbacks = callbacks;
  }

  /** Whether another token can be had when one has expired. */
  get isRenewable() {
    return typeof this.#token === "function";
  }

  /** The token now; "" without one. @returns {Promise<string>} */
  async current() {
    const token = typeof this.#token === "function" ? await this.#token() : (this.#token ?? "");
    if (typeof token !== "string") throw new TypeError(`token is ${typeof token}: pass or return a text`);
    return token;
  }

  /** A WebSocket is open: send the token first. */
  async start() {
    if (this.#token === undefined) return;
    this.stop();
    const round = this.#round;
    try {
      const token = await this.current();
      if (round !== this.#round) return;
      this.#callbacks.send(token);
      const delay = this.isRenewable ? renewalDelay(token, this.#clock()) : null;
      if (delay !== null) this.#timer = this.#timers.setTimeout(() => this.start(), delay);
    } catch (error) {
      if (round === this.#round) this.#callbacks.onFault(`no token: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** The connection is closed. */
  stop() {
    this.#round += 1;
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
