/** Asks the gateway for the past: states, activity, and the hugs of today. */

import { backoff } from "../client/backoff.js";

/** Pages of past states that are read at most: an hour of an active pillow has four. */
const MAX_PAGES = 20;
/** An answer that takes longer than this is as good as none. */
const TIMEOUT_MS = 20_000;
const MAX_RETRY_AFTER_MS = 120_000;

/** @typedef {import("../client/frames.js").Pillow} Pillow */
/** @typedef {import("./timeline.js").Interval} Interval */

/**
 * What a test replaces.
 *
 * @typedef {object} Surroundings
 * @property {typeof fetch} [request]
 * @property {(ms: number, signal: AbortSignal) => Promise<void>} [sleep]
 * @property {() => number} [random]
 */

export class PastApi {
  #folder;
  #token;
  #surroundings;

  /**
   * @param {URL} folder of the gateway
   * @param {string} token "" without one
   * @param {Surroundings} [surroundings]
   */
  constructor(folder, token, { request = (...all) => fetch(...all), sleep = sleepUnlessAborted, random = Math.random } = {}) {
    this.#folder = folder;
    this.#token = token;
    this.#surroundings = { request, sleep, random };
  }

  /**
   * The hugs of today, asked for once.
   *
   * @param {string} zone
   * @param {string[] | "all"} pillows
   * @returns {Promise<import("./today.js").Answer>} it is rejected if there is no answer
   */
  async today(zone, pillows) {
    const query = new URLSearchParams({ tz: zone });
    if (pillows !== "all") for (const id of pillows) query.append("pillow", id);
    const response = await this.#request(new URL(`api/today?${query}`, this.#folder), AbortSignal.timeout(TIMEOUT_MS));
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.json();
  }

  /**
   * What a pillow did in each step of a time.
   *
   * @param {string} id
   * @param {Interval} range
   * @param {number} stepMs
   * @param {AbortSignal} signal ends requests and delays
   * @param {() => void} onFailure an attempt failed, and another one follows
   * @returns {Promise<import("./activity.js").Answer | null>} null if the gateway has none, and if it was aborted
   */
  async activity(id, { from, to }, stepMs, signal, onFailure) {
    const query = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), step: String(stepMs / 1000) });
    return this.#ask(new URL(`api/pillows/${id}/activity?${query}`, this.#folder), signal, onFailure);
  }

  /**
   * The past states of a pillow, oldest first.
   *
   * @param {string} id
   * @param {{from: number, to?: number}} range
   * @param {AbortSignal} signal ends requests and delays
   * @param {() => void} [onFailure] an attempt failed, and another one follows
   * @returns {Promise<Pillow[]>} empty for an unknown pillow, and if it was aborted
   */
  async history(id, { from, to }, signal, onFailure = () => {}) {
    const query = new URLSearchParams({ from: new Date(from).toISOString() });
    if (to !== undefined) query.set("to", new Date(to).toISOString());
    let url = new URL(`api/pillows/${id}/history?${query}`, this.#folder);
    /** @type {Pillow[]} */
    const found = [];
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await this.#ask(url, signal, onFailure);
      if (answer === null) break;
      found.push(...answer.states);
      if (!answer.next) break;
      url = new URL(answer.next, url);
    }
    return signal.aborted ? [] : found;
  }

  /**
   * Ask until there is an answer, with a growing delay.
   *
   * @param {URL} url
   * @param {AbortSignal} signal
   * @param {() => void} onFailure
   * @returns {Promise<any>} null if asking again does not help
   */
  async #ask(url, signal, onFailure) {
    const { sleep, random } = this.#surroundings;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      let retryMs = 0;
      try {
        const response = await this.#request(url, signal);
        if (response.ok) return await response.json();
        // Unknown, forbidden, or not understood; 429 says that there were too many requests.
        if (response.status < 500 && response.status !== 429 && response.status !== 408) return null;
        retryMs = Math.min(Number(response.headers?.get("retry-after")) * 1000 || 0, MAX_RETRY_AFTER_MS);
      } catch {
        // Network error or invalid JSON.
      }
      if (signal.aborted) break;
      onFailure();
      await sleep(Math.max(backoff(attempt, random()), retryMs), signal);
    }
    return null;
  }

  /**
   * @param {URL} url
   * @param {AbortSignal} signal
   */
  #request(url, signal) {
    const headers = this.#token === "" ? undefined : { Authorization: `Bearer ${this.#token}` };
    return this.#surroundings.request(url, { signal, headers });
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function sleepUnlessAborted(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
