/** The readers of a session, indexed by their pillows: who gets which update, and what all of them want. Pure. */

/** @typedef {import("./client_events.js").ChangeDetail} ChangeDetail */
/** @typedef {import("./frames.js").FrameError} FrameError */
/** @typedef {import("./store.js").Update} Update */
/** @typedef {import("./subscription.js").Pillows} Pillows */

/**
 * A client of a session.
 *
 * @typedef {object} Reader
 * @property {Pillows} pillows
 * @property {import("./view.js").View} view
 * @property {(detail: ChangeDetail | null, isComplete: boolean) => void} onFrame new states, if there are any;
 *   `isComplete`: now it has all that it wants
 * @property {string[]} motion the pillows whose motion it wants, where states have none
 * @property {(pillows: import("./frames.js").Pillow[]) => void} onMotion states whose samples have come
 * @property {() => void} onStatus
 * @property {() => void} onWatching
 * @property {(error: FrameError) => void} onFault
 */

/** In place of an id: all pillows. */
const EVERY = "";

export class Readers {
  /** @type {Set<Reader>} */
  #readers = new Set();
  /** The readers of each pillow by id. @type {Map<string, Set<Reader>>} */
  #byPillow = new Map();

  get size() {
    return this.#readers.size;
  }

  [Symbol.iterator]() {
    return this.#readers[Symbol.iterator]();
  }

  /** @param {Reader} reader */
  has(reader) {
    return this.#readers.has(reader);
  }

  /** @param {Reader} reader */
  add(reader) {
    this.#readers.add(reader);
    for (const id of namesOf(reader)) this.#byPillow.set(id, (this.#byPillow.get(id) ?? new Set()).add(reader));
  }

  /** @param {Reader} reader @returns {boolean} whether it was there */
  remove(reader) {
    for (const id of namesOf(reader)) {
      const readers = this.#byPillow.get(id);
      readers?.delete(reader);
      if (readers?.size === 0) this.#byPillow.delete(id);
    }
    return this.#readers.delete(reader);
  }

  /** What all of them want. @returns {Pillows} */
  get pillows() {
    const [first, ...others] = this.#readers;
    if (others.length === 0) return first?.pillows ?? [];
    return this.#byPillow.has(EVERY) ? "all" : [...this.#byPillow.keys()].sort();
  }

  /** The updates of each reader that has any. @param {Update[]} updates */
  distribute(updates) {
    /** @type {Map<Reader, Update[]>} */
    const ofReaders = new Map();
    for (const update of updates) {
      for (const reader of this.#byPillow.get(update.id) ?? []) {
        const own = ofReaders.get(reader);
        if (own === undefined) ofReaders.set(reader, [update]);
        else own.push(update);
      }
    }
    const cursor = updates.at(-1)?.cursor ?? null;
    for (const own of ofReaders.values()) {
      // The last update of a reader ends the frame for it.
      const last = own[own.length - 1];
      if (last.cursor !== cursor) own[own.length - 1] = { ...last, cursor };
    }
    if (updates.length > 0) this.#byPillow.get(EVERY)?.forEach((reader) => ofReaders.set(reader, updates));
    return ofReaders;
  }
}

/** @param {Reader} reader */
function namesOf({ pillows }) {
  return pillows === "all" ? [EVERY] : pillows;
}
