/** The end of a silence, which is no news. Pure. */

/** @typedef {import("../client/store.js").Update} Update */

/**
 * Whether an update only ends `notconnected`: the gateway then sends the pillow's last state again.
 *
 * @param {Update} update
 */
export function isReconnection({ pillow, previous }) {
  if (previous?.state !== "notconnected" || pillow === null) return false;
  return previous.last === pillow.state && previous.at === pillow.at && previous.seq === pillow.seq;
}
