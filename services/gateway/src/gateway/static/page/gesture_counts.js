/** Counts how often each pillow began to be hugged and punched since the page was opened. Pure. */

/** @typedef {import("../client/store.js").Update} Update */
/** @typedef {{hugging: number, punching: number}} Counts */

/** @type {Readonly<Counts>} */
const NONE = Object.freeze({ hugging: 0, punching: 0 });

export class GestureCounts {
  /** @type {Map<string, Counts>} */
  #counts = new Map();

  /** Count an update if it begins a hug or a punch. @param {Update} update */
  add(update) {
    const { id, pillow, previous } = update;
    if (pillow === null) {
      this.#counts.delete(id);
      return;
    }
    const { state } = pillow;
    if (state !== "hugging" && state !== "punching") return;
    if (previous === undefined || previous.state === state || isReconnection(update)) return;
    const counts = this.#counts.get(id) ?? { ...NONE };
    counts[state] += 1;
    this.#counts.set(id, counts);
  }

  /** @param {string} id */
  of(id) {
    return this.#counts.get(id) ?? NONE;
  }
}

/**
 * Whether an update only ends `notconnected`: the gateway then sends the pillow's last state again.
 *
 * @param {Update} update
 */
export function isReconnection({ pillow, previous }) {
  if (previous?.state !== "notconnected" || pillow === null) return false;
  return previous.last === pillow.state && previous.at === pillow.at && previous.seq === pillow.seq;
}
