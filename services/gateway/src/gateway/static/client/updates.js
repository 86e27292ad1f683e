/**
 * Updates that wait for whoever reads them with `for await`.
 *
 * Bounded: a reader that keeps up gets every update; for one that does not, the oldest wait
 * gives way to the newest state of each pillow, as the gateway does it for a slow browser.
 */

/** @typedef {import("./store.js").Update} Update */

/** So many updates wait one by one before only the newest of each pillow is kept. */
export const WAITING = 1000;

/** @implements {AsyncIterableIterator<Update>} */
export class Updates {
  /** @type {Update[]} */
  #waiting = [];
  /** @type {{resolve: (result: IteratorResult<Update, undefined>) => void, reject: (fault: unknown) => void}[]} */
  #readers = [];
  #onEnd;
  #isOver = false;
  /** @type {unknown} */
  #fault;

  /** @param {(updates: Updates) => void} [onEnd] told once, when nobody reads any more */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  /** @param {Update} update */
  push(update) {
    if (this.#isOver) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ value: update, done: false });
      return;
    }
    this.#waiting.push(update);
    if (this.#waiting.length > WAITING) this.#conflate();
  }

  /** Nothing comes any more; with a fault, reading on throws it once. @param {unknown} [fault] */
  end(fault) {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fault = fault;
    this.#onEnd?.(this);
    const readers = this.#readers.splice(0);
    if (fault !== undefined && readers.length > 0) {
      this.#fault = undefined;
      readers.shift()?.reject(fault);
    }
    for (const { resolve } of readers) resolve({ value: undefined, done: true });
  }

  /** @returns {Promise<IteratorResult<Update, undefined>>} */
  next() {
    const update = this.#waiting.shift();
    if (update !== undefined) return Promise.resolve({ value: update, done: false });
    if (!this.#isOver) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== undefined) return Promise.reject(fault);
    return Promise.resolve({ value: undefined, done: true });
  }

  /** The loop was left. @returns {Promise<IteratorResult<Update, undefined>>} */
  return() {
    this.#waiting = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** Keep the newest of each pillow, in the order of their arrival. */
  #conflate() {
    /** @type {Map<string, Update>} */
    const newest = new Map();
    for (const update of this.#waiting) {
      const known = newest.get(update.id);
      newest.delete(update.id);
      newest.set(update.id, known === undefined ? update : { ...update, previous: known.previous });
    }
    this.#waiting = [...newest.values()];
  }
}
