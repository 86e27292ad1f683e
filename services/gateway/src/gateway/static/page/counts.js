/** How often each pillow began to be hugged and punched since the page was opened; pure. */

const NONE = Object.freeze({ hugging: 0, punching: 0 });

export class Counts {
  #counts = new Map();

  /** A state that goes on is no other hug. @param {import("../client/store.js").Update} update */
  add({ id, pillow, previous }) {
    if (pillow === null) {
      this.#counts.delete(id);
      return;
    }
    if (previous === undefined || previous.state === pillow.state || !(pillow.state in NONE)) return;
    const counts = this.#counts.get(id) ?? { ...NONE };
    counts[pillow.state] += 1;
    this.#counts.set(id, counts);
  }

  of(id) {
    return this.#counts.get(id) ?? NONE;
  }
}
