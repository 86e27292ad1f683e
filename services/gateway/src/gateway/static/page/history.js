/** What a pillow did before now, as the gateway remembers it. */

import { backoff } from "../client/backoff.js";

/** The gateway knows nothing of a pillow that was removed meanwhile. */
const UNKNOWN = 404;

/**
 * A pillow's last states, oldest first; asked for again, ever more slowly, until they are here.
 *
 * @param {URL} address
 * @param {AbortSignal} signal ends the asking
 * @param {{get?: typeof fetch, pause?: (ms: number, signal: AbortSignal) => Promise<void>, random?: () => number}} [surroundings]
 * @returns {Promise<object[]>} none of an unknown pillow, nor when the asking was ended
 */
export async function historyOf(address, signal, { get = fetch, pause = rest, random = Math.random } = {}) {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      const answer = await get(address, { signal });
      if (answer.status === UNKNOWN) return [];
      if (answer.ok) return (await answer.json()).states;
    } catch {
      // Cut off, refused, or no JSON: whether the page is live is for the page to say.
    }
    await pause(backoff(attempt, random()), signal);
  }
  return [];
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal ends it at once
 * @returns {Promise<void>}
 */
function rest(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
