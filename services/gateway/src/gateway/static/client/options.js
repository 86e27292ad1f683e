/** The options of a client, and their validation. */

import { isPillowId } from "./frames.js";

/** The gateway takes this many pillows in one subscription; for more there is `all`. */
export const MAX_PILLOWS = 1_000;
/** The gateway takes a message of this many bytes. */
const MAX_REQUEST_BYTES = 65_536;

/**
 * @typedef {object} Options
 * @property {string | URL} [url] the gateway, as `https://host/`; by default the one that served this
 *   module or this page
 * @property {string[] | "all"} [pillows] ids of the pillows to subscribe to; all by default
 * @property {string | null} [cursor] the `cursor` of an earlier client of the same gateway and
 *   pillows: receive only what changed after it, if the gateway still knows
 * @property {import("./tokens.js").Token} [token] a JSON Web Token or a share link's, for a gateway that
 *   asks for one; a function is called for each connection, and again before the token expires
 * @property {AbortSignal} [signal] closes the client when it is aborted
 * @property {number | null} [hiddenTimeoutMs] a page that was hidden for this long closes its
 *   connection and resumes when it is visible; null: it stays connected; five minutes by default, and 10 s over
 *   Server-Sent Events, because a browser makes six connections to a host by HTTP/1.1
 * @property {boolean} [reportShown] whether `shown()` may report to a gateway that asks for it; false by default
 * @property {(event: import("./client_events.js").ChangeEvent) => void} [onChange] listener for `change`
 * @property {(event: import("./client_events.js").ConnectionEvent) => void} [onConnection] listener for
 *   `connection`
 */

/**
 * Dependencies that a test or an unusual environment replaces, beside those of the connection.
 *
 * @typedef {object} Injected
 * @property {typeof fetch} [fetch] for the SSE stream
 * @property {import("./page_lifecycle.js").PageTargets} [page] targets of the events `online`,
 *   `visibilitychange`, `freeze` and `resume`
 */

/**
 * Check the option `pillows`. An empty list is an error, because to the gateway it would mean all.
 *
 * @param {string[] | "all"} pillows
 * @throws {TypeError} if it is not "all" or a list of 1 to 1,000 valid ids
 */
export function checkPillows(pillows) {
  if (pillows === "all") return pillows;
  if (!Array.isArray(pillows) || pillows.length === 0) {
    throw new TypeError(`pillows is ${JSON.stringify(pillows)}: pass a list of at least one id, or "all"`);
  }
  const invalid = pillows.find((id) => !isPillowId(id));
  if (invalid !== undefined) throw new TypeError(`pillows: ${JSON.stringify(invalid)} is no pillow's id`);
  if (pillows.length > MAX_PILLOWS) {
    throw new TypeError(`pillows has ${pillows.length} ids: pass at most ${MAX_PILLOWS}, or "all"`);
  }
  const bytes = subscribeFrame(pillows).length;
  if (bytes > MAX_REQUEST_BYTES) {
    throw new TypeError(`pillows has ${pillows.length} ids in ${bytes} bytes: the gateway takes ${MAX_REQUEST_BYTES}; pass fewer, or "all"`);
  }
  return pillows;
}

/**
 * The pillows if one subscription may name them, otherwise "all": a page must not lose all of its clouds
 * for one too many.
 *
 * @param {string[]} pillows valid ids
 */
export function nameable(pillows) {
  const isNameable = pillows.length <= MAX_PILLOWS && subscribeFrame(pillows).length <= MAX_REQUEST_BYTES;
  return isNameable ? pillows : "all";
}

/** The message that subscribes to these pillows. @param {string[] | "all"} pillows */
export function subscribeFrame(pillows) {
  return JSON.stringify({ type: "subscribe", pillows });
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
