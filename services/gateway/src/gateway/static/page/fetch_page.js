/** Asks the gateway for the page, to compare it with the one that is shown. */

/** A request that has no response by then has failed. */
const TIMEOUT_MS = 30_000;

/**
 * @param {string} address
 * @returns {Promise<string>} the page's source; "" if the gateway refuses it, and it is rejected if nobody answers
 */
export async function fetchPage(address) {
  const response = await fetch(address, { cache: "no-cache", signal: AbortSignal.timeout(TIMEOUT_MS) });
  return response.ok ? response.text() : "";
}
