/** Fetches the past states of a pillow from the gateway. */

import { backoff } from "../client/backoff.js";

/** The gateway does not know the pillow, which may have been removed. */
const NOT_FOUND = 404;

/** @typedef {import("../client/frames.js").Pillow} Pillow */

/**
 * Fetch the past states of a pillow, oldest first, page by page. A failed request is repeated with a growing delay.
 *
 * @param {URL} url
 * @param {AbortSignal} signal ends requests and delays
 * @param {{request?: typeof fetch, sleep?: (ms: number, signal: AbortSignal) => Promise<void>, random?: () => number}} [surroundings]
 *   what a test replaces
 * @returns {Promise<Pillow[]>} empty for an unknown pillow, and if it was aborted
 */
export async function fetchHistory(url, signal, surroundings = {}) {
  const { request = fetch, sleep = sleepUnlessAborted, random = Math.random } = surroundings;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const response = await request(url, { signal });
      if (response.status === NOT_FOUND) return [];
      if (response.ok) {
        const { states, next } = await response.json();
        return next ? [...states, ...(await fetchHistory(new URL(next, url), signal, surroundings))] : states;
      }
    } catch {
      // Network error or invalid JSON: the status bar already shows whether the page is live.
    }
    await sleep(backoff(attempt, random()), signal);
  }
  return [];
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
