/** Delays before the next attempt to connect. Pure: the random number is an argument. */
export declare const MIN_DELAY_MS = 500;
export declare const MAX_DELAY_MS = 20000;
/**
 * Full jitter: a delay drawn evenly from a window that doubles with each attempt, so that a
 * thousand pages that lost the same gateway do not reconnect at once.
 *
 * @param {number} attempt number of failed attempts in a row, from 0
 * @param {number} random a number in [0, 1)
 * @returns {number} delay in ms, from MIN_DELAY_MS to MAX_DELAY_MS
 */
export declare function backoff(attempt: number, random: number): number;
/**
 * A delay drawn evenly from the window that a gateway sent in its `goodbye`.
 *
 * @param {[number, number]} window shortest and longest delay in ms
 * @param {number} random a number in [0, 1)
 * @returns {number} delay in ms
 */
export declare function delayWithin([shortest, longest]: [number, number], random: number): number;
