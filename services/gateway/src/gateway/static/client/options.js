/** The options of a client, and their validation. */

import { isPillowId } from "./frames.js";
import { httpUrlFor } from "./gateway_url.js";
import { MAX_MOTION } from "./motion_requests.js";
import { subscribeFrame } from "./subscription.js";

/** The gateway takes this many pillows in one subscription; for more there is `all`. */
export const MAX_PILLOWS = 1_000;
/** The gateway takes a message of this many bytes. */
const MAX_REQUEST_BYTES = 65_536;

/**
 * @typedef {object} Options
 * @property {string | URL | import("./url_function.js").UrlFunction} [url] the gateway, as `https://host/`; by
 *   default the one that served this module or this page; a function is called for each connection
 * @property {string[] | "all"} [pillows] ids of the pillows to subscribe to; all by default
 * @property {string | null} [cursor] the `cursor` of an earlier client of the same gateway and
 *   pillows: receive only what changed after it, if the gateway still knows
 * @property {import("./tokens.js").Token} [token] a JSON Web Token or a share link's, for a gateway that
 *   asks for one; a function is called for each connection, and again before the token expires
 * @property {boolean} [share] false: a connection of its own, which no other client shares; true by default
 * @property {AbortSignal} [signal] closes the client when it is aborted
 * @property {number | null | (() => number | null | undefined)} [hiddenTimeoutMs] a page that was hidden
 *   for this long closes its connection and resumes when it is visible; null: it stays connected; five minutes
 *   by default, and 10 s over Server-Sent Events, because a browser makes six connections to a host by HTTP/1.1;
 *   a function is called when the page is hidden, and returns undefined for the default
 * @property {boolean} [reportShown] whether `shown()` may report to a gateway that asks for it; false by default
 * @property {"all" | "none"} [motion] `none`: states without `motion`, of which `subscribeMotion` asks for that
 *   of some pillows; over Server-Sent Events, where it cannot ask, states have it; all by default
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
/** @typedef {Options & Injected & import("./connection.js").Surroundings} AllOptions */

/**
 * Check the option `pillows`. An empty list is an error, because to the gateway it would mean all.
 *
 * @param {string[] | "all"} pillows
 * @throws {TypeError} if it is not "all" or a list of 1 to 1,000 valid ids
 */
export function checkPillows(pillows) {
  if (pillows === "all") return pillows;
  if (!Array.isArray(pillows) || pillows.length === 0) {
    throw new TypeError(`pillows is ${show(pillows)}: pass a list of at least one id, or "all"`);
  }
  const invalid = pillows.find((id) => !isPillowId(id));
  if (invalid !== undefined) throw new TypeError(`pillows: ${show(invalid)} is no pillow's id`);
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

/** @typedef {(value: any) => boolean} Check */

/** @type {Check} */
const isFunction = (value) => typeof value === "function";
/** Null stands for the default, or for no such transport. @type {Check} */
const isFunctionOrNull = (value) => value === null || isFunction(value);
const FUNCTION = "pass a function";

/** A browser's timer takes this many milliseconds; a timer with a longer delay fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** For each option a check of its value, and what to pass instead. @type {Record<string, [Check, string]>} */
const OPTIONS = {
  url: [(value) => isFunction(value) || typeof (value?.href ?? value) === "string", "pass the URL of the gateway, as https://host/, or a function that returns it"],
  pillows: [(value) => Boolean(checkPillows(value)), ""],
  cursor: [(value) => value === null || typeof value === "string", "pass the cursor of a client, or null"],
  token: [(value) => typeof value === "string" || isFunction(value), "pass a text, or a function that returns one"],
  share: [(value) => typeof value === "boolean", "pass true or false"],
  signal: [(value) => typeof value?.aborted === "boolean" && isFunction(value.addEventListener), "pass an AbortSignal"],
  hiddenTimeoutMs: [
    (value) => value === null || isFunction(value) || (typeof value === "number" && value >= 0 && value <= MAX_TIMER_MS),
    `pass milliseconds up to ${MAX_TIMER_MS}, or null to stay connected, or a function that returns one of them`,
  ],
  reportShown: [(value) => typeof value === "boolean", "pass true or false"],
  motion: [(value) => value === "all" || value === "none", 'pass "all" or "none"'],
  onChange: [isFunctionOrNull, FUNCTION],
  onConnection: [isFunctionOrNull, FUNCTION],
  WebSocket: [isFunctionOrNull, "pass a class as that of the package ws, or null for Server-Sent Events only"],
  fetch: [isFunctionOrNull, FUNCTION],
  events: [isFunctionOrNull, "pass a function that opens the stream, or null for WebSockets only"],
  clock: [isFunctionOrNull, FUNCTION],
  monotonic: [isFunctionOrNull, FUNCTION],
  random: [isFunctionOrNull, FUNCTION],
  timers: [(value) => isFunction(value?.setTimeout) && isFunction(value.clearTimeout), "pass an object with setTimeout and clearTimeout"],
  page: [(value) => typeof value === "object" && value !== null, "pass { window, document }"],
};

/**
 * Check the ids whose motion is wanted; there may be none.
 *
 * @param {string[]} pillows
 * @throws {TypeError} if it is no list of at most 256 valid ids
 */
export function checkMotion(pillows) {
  if (Array.isArray(pillows) && pillows.length <= MAX_MOTION && pillows.every(isPillowId)) return pillows;
  throw new TypeError(`the pillows whose motion is wanted are ${show(pillows)}: pass a list of at most ${MAX_MOTION} ids`);
}

/**
 * Check all options: their names, and their values except for the text of `url`. An option that is undefined
 * has its default.
 *
 * @template {object} T
 * @param {T} options
 * @returns {T}
 * @throws {TypeError} if one is unknown or invalid; the message names it, its value and what was meant
 */
export function checkOptions(options) {
  const address = /** @type {any} */ (options)?.href ?? options;
  if (typeof address !== "object" || address === null || Array.isArray(address)) {
    const meant = isPillowId(address) ? `pillows: ["${address}"]` : `url: "${httpUrlFor(String(address))}"`;
    throw new TypeError(`the options are ${show(address)}: pass an object, as { ${meant} }`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTIONS, name)) throw unknownOption(name, value);
    const [isValid, advice] = OPTIONS[name];
    if (value !== undefined && !isValid(value)) throw new TypeError(`${name} is ${name === "token" ? typeof value : show(value)}: ${advice}`);
  }
  return options;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function unknownOption(name, value) {
  const names = Object.keys(OPTIONS);
  const [near] = names.map((known) => ({ known, edits: editsBetween(name.toLowerCase(), known.toLowerCase()) })).sort((a, b) => a.edits - b.edits);
  const isMeant = near.edits <= 2;
  // A token is a secret, and errors are logged.
  const what = isMeant && near.known === "token" ? "" : ` (its value is ${show(value)})`;
  return new TypeError(`${name} is no option${what}: ${isMeant ? `did you mean ${near.known}?` : `there are ${names.join(", ")}`}`);
}

/**
 * Levenshtein's distance: how many characters to insert, delete or replace.
 *
 * @param {string} a
 * @param {string} b
 */
function editsBetween(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, char] of [...a].entries()) {
    const next = [index + 1];
    for (let at = 0; at < b.length; at += 1) next.push(Math.min(next[at] + 1, row[at + 1] + 1, row[at] + (char === b[at] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

/** A value as a text for an error. @param {unknown} value @returns {string} */
function show(value) {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? `a ${typeof value}`;
  } catch {
    return "an object";
  }
}
