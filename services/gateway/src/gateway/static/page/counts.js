/** How often each pillow began to be hugged and punched since the page was opened; pure. */

const NONE = Object.freeze({ hugging: 0, punching: 0 });

export class Counts {
  #counts = new Map();

  /** A state that goes on, or is told again, is no other hug. @param {import("../client/store.js").Update} update */
  add(update) {
    const { id, pillow, previous } = update;
    if (pillow === null) {
      this.#counts.delete(id);
      return;
    }
    if (previous === undefined || previous.state === pillow.state || isToldAgain(update) || !(pillow.state in NONE)) return;
    const counts = this.#counts.get(id) ?? { ...NONE };
    counts[pillow.state] += 1;
    this.#counts.set(id, counts);
  }

  of(id) {
    return this.#counts.get(id) ?? NONE;
  }
}

/**
 * Whether a pillow is only connected again: the gateway then tells what it last did once more.
 *
 * @param {import("../client/store.js").Update} update
 */
export function isToldAgain({ pillow, previous }) {
  if (previous?.state !== "notconnected" || pillow === null) return false;
  return previous.last === pillow.state && previous.at === pillow.at && previous.seq === pillow.seq;
}
