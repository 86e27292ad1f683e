/** The token of a share link: it is taken out of the address, so that it is not copied with that. */

import { claimsOf } from "../client/tokens.js";
import { isPillowId } from "../client/frames.js";
import { hashOf } from "./route.js";

const PREFIX = "#token=";
const KEY = "pillowcast-token";

/** @typedef {Pick<Location, "hash" | "pathname" | "search">} Address */

/**
 * The token of this visit: that of the address, which is replaced, otherwise that of an earlier load of
 * this tab; "" without one.
 *
 * @param {Address} address
 * @param {Pick<History, "replaceState">} history
 * @param {Pick<Storage, "getItem" | "setItem"> | null} storage null where the browser forbids it
 */
export function takeToken({ hash, pathname, search }, history, storage) {
  if (!hash.startsWith(PREFIX)) return storage?.getItem(KEY) ?? "";
  const token = hash.slice(PREFIX.length);
  storage?.setItem(KEY, token);
  const only = onlyPillow(token);
  history.replaceState(null, "", pathname + search + (only === null ? "" : hashOf(only)));
  return token;
}

/**
 * Load the page anew for a link that is opened in its own tab: only the fragment differs, so the browser does not.
 *
 * @param {Pick<Window, "addEventListener" | "location">} window
 */
export function followLinks(window) {
  const { location } = window;
  window.addEventListener("hashchange", () => location.hash.startsWith(PREFIX) && location.reload());
}

/** The pillow of a token that permits one; null for any other. @param {string} token */
function onlyPillow(token) {
  const { pillows } = claimsOf(token);
  return Array.isArray(pillows) && pillows.length === 1 && isPillowId(pillows[0]) ? pillows[0] : null;
}

/** The storage of this tab; null where the browser forbids it. @param {Window} window */
export function tabStorage(window) {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
