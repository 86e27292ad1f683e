/** The sessions that clients share: which options lead to the same one. */

import { gatewayFolder } from "./gateway_url.js";
import { SharedSession } from "./shared_session.js";

/** @typedef {import("./options.js").AllOptions} AllOptions */
/** @typedef {{url: unknown, options: AllOptions, session: SharedSession}} Entry */

/** The options of a connection. Two clients share one only if each of these is the same value. */
const CONNECTION_OPTIONS = /** @type {const} */ ([
  "token",
  "hiddenTimeoutMs",
  "reportShown",
  "motion",
  "WebSocket",
  "fetch",
  "events",
  "clock",
  "monotonic",
  "timers",
  "random",
  "page",
]);

/**
 * The registry is global, because a page may load the client and the element as two bundles. Its name has a
 * number: that of the methods which two bundles call of each other's sessions.
 */
const REGISTRY = Symbol.for("pillowcast.sessions.2");

/** @returns {Entry[]} */
function registry() {
  const scope = /** @type {any} */ (globalThis);
  return (scope[REGISTRY] ??= []);
}

/** Whether a client may share: one with a cursor begins elsewhere in the stream. @param {AllOptions} options */
function isShareable({ cursor = null, share = true }) {
  return share && cursor === null;
}

/** @param {AllOptions["url"]} url */
function nameOf(url) {
  return typeof url === "function" ? url : gatewayFolder(url).href;
}

/**
 * The open session for these options, if there is one to share.
 *
 * @param {AllOptions} options which are valid
 */
export function findSession(options) {
  if (!isShareable(options)) return undefined;
  const url = nameOf(options.url);
  return registry().find((entry) => entry.url === url && CONNECTION_OPTIONS.every((name) => entry.options[name] === options[name]))?.session;
}

/**
 * Let others share a session.
 *
 * @param {SharedSession} session
 * @param {AllOptions} options
 */
export function offerSession(session, options) {
  if (isShareable(options) && findSession(options) === undefined) registry().push({ url: nameOf(options.url), options, session });
}

/** A session was closed. @param {SharedSession} session */
export function withdrawSession(session) {
  const index = registry().findIndex((entry) => entry.session === session);
  if (index !== -1) registry().splice(index, 1);
}
