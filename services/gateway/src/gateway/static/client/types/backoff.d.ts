/**
 * How long to wait before the next attempt to connect.
 *
 * Pure: the random number comes in as an argument.  What an attempt is, and when the count
 * starts again, is the business of connection.js.
 */
export declare const MIN_DELAY_MS = 500;
export declare const MAX_DELAY_MS = 20000;
/**
 * Full jitter: a delay in ms drawn evenly from a window that doubles with each attempt.
 * A thousand pages that lost the same gateway come back spread out, not as one wave.
 *
 * @param {number} attempt failures in a row so far, from 0
 * @param {number} random a number in [0, 1)
 * @returns {number} delay in ms, from MIN_DELAY_MS to MAX_DELAY_MS
 */
export declare function backoff(attempt: number, random: number): number;
/**
 * A delay in ms drawn evenly from the window a gateway asked for when it said goodbye.
 *
 * @returns {number}
 * @param {[number, number]} window lowest and highest delay in ms
 * @param {number} random a number in [0, 1)
 */
export declare function withinWindow([lowest, highest]: [number, number], random: number): number;
