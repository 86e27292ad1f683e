/** The options of a client, and their validation. */

import { isPillowId } from "./frames.js";

/**
 * @typedef {object} Options
 * @property {string | URL} [url] the gateway, as `https://host/`; by default the one that served this
 *   module or this page
 * @property {string[] | "all"} [pillows] ids of the pillows to subscribe to; all by default
 * @property {string | null} [cursor] the `cursor` of an earlier client of the same gateway and
 *   pillows: receive only what changed after it, if the gateway still knows
 * @property {AbortSignal} [signal] closes the client when it is aborted
 * @property {(event: import("./client_events.js").ChangeEvent) => void} [onChange] listener for `change`
 * @property {(event: import("./client_events.js").ConnectionEvent) => void} [onConnection] listener for
 *   `connection`
 */

/**
 * Dependencies that a test or an unusual environment replaces, beside those of the connection.
 *
 * @typedef {object} Injected
 * @property {typeof fetch} [fetch] for the SSE stream
 * @property {import("./wake_events.js").PageTargets} [page] targets of the events `online` and
 *   `visibilitychange`
 */

/**
 * Check the option `pillows`. An empty list is an error, because to the gateway it would mean all.
 *
 * @param {string[] | "all"} pillows
 * @throws {TypeError} if it is not "all" or a list of at least one valid id
 */
export function checkPillows(pillows) {
  if (pillows === "all") return pillows;
  if (!Array.isArray(pillows) || pillows.length === 0) {
    throw new TypeError(`pillows is ${JSON.stringify(pillows)}: pass a list of at least one id, or "all"`);
  }
  const invalid = pillows.find((id) => !isPillowId(id));
  if (invalid !== undefined) throw new TypeError(`pillows: ${JSON.stringify(invalid)} is no pillow's id`);
  return pillows;
}

/**
 * Check the option `cursor`.
 *
 * @param {string | null} cursor
 * @throws {TypeError} if it is neither a text nor null
 */
export function checkCursor(cursor) {
  if (cursor === null || typeof cursor === "string") return cursor;
  throw new TypeError(`cursor is ${cursor}: pass the cursor of a client, or null`);
}
