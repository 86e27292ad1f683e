/** Loads the page anew for another release. */

/** A tab does so at most this often, where several gateways have different releases. */
export const MIN_INTERVAL_MS = 600_000;

const KEY = "pillowcast-reloaded";

/** The time since this tab did so. @param {Pick<Storage, "getItem"> | null} storage null where the browser forbids it */
export function sinceReloadMs(storage) {
  return Math.abs(Date.now() - Number(storage?.getItem(KEY) ?? 0));
}

/**
 * @param {Pick<Storage, "setItem"> | null} storage
 * @param {Pick<Location, "reload">} location
 */
export function reload(storage, location) {
  storage?.setItem(KEY, String(Date.now()));
  location.reload();
}

/**
 * Load the page anew if a part is of another release: the gateway has its present files only, also for a page
 * that was open before, or that the service worker kept.
 *
 * @param {string | undefined} address of the part, in the page
 * @param {string} version of the part
 * @param {Pick<Storage, "getItem" | "setItem"> | null} storage without one the page stays: nothing would keep it
 *   from loading again and again
 * @param {Pick<Location, "reload">} location
 */
export function renew(address, version, storage, location) {
  if (address?.includes(version) || storage === null || sinceReloadMs(storage) < MIN_INTERVAL_MS) return;
  reload(storage, location);
}
