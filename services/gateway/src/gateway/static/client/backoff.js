/** Delays before the next attempt to connect. Pure: the random number is an argument. */

export const MIN_DELAY_MS = 500;
export const MAX_DELAY_MS = 20_000;

/**
 * Full jitter: a delay drawn evenly from a window that doubles with each attempt, so that a
 * thousand pages that lost the same gateway do not reconnect at once.
 *
 * @param {number} attempt number of failed attempts in a row, from 0
 * @param {number} random a number in [0, 1)
 * @returns {number} delay in ms, from MIN_DELAY_MS to MAX_DELAY_MS
 */
export function backoff(attempt, random) {
  const window = Math.min(MAX_DELAY_MS - MIN_DELAY_MS, MIN_DELAY_MS * 2 ** attempt);
  return MIN_DELAY_MS + random * window;
}

/**
 * A delay drawn evenly from the window that a gateway sent in its `goodbye`.
 *
 * @param {[number, number]} window shortest and longest delay in ms
 * @param {number} random a number in [0, 1)
 * @returns {number} delay in ms
 */
export function delayWithin([shortest, longest], random) {
  return shortest + random * (longest - shortest);
}
