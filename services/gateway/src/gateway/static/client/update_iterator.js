/**
 * Bounded queues of updates, which `for await` reads.
 *
 * A reader that keeps up receives every update. For one that does not, the queue is reduced to the
 * newest state of each pillow, as the gateway does for a slow browser.
 */

/** @typedef {import("./store.js").Update} Update */

/** Above this length the queue is reduced to the newest update of each pillow. */
export const MAX_QUEUED = 1000;

/** @implements {AsyncIterableIterator<Update>} */
export class UpdateIterator {
  /** @type {Update[]} */
  #queue = [];
  /** @type {{resolve: (result: IteratorResult<Update, undefined>) => void, reject: (error: unknown) => void}[]} */
  #waiting = [];
  #onEnd;
  #hasEnded = false;
  /** @type {unknown} */
  #error;

  /** @param {(iterator: UpdateIterator) => void} [onEnd] called once, when the iterator ends */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  /** @param {Update} update */
  push(update) {
    if (this.#hasEnded) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ value: update, done: false });
      return;
    }
    this.#queue.push(update);
    if (this.#queue.length > MAX_QUEUED) this.#coalesce();
  }

  /** End after the queued updates; the next read after them throws the error once. @param {unknown} [error] */
  end(error) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#error = error;
    this.#onEnd?.(this);
    const waiting = this.#waiting.splice(0);
    if (error !== undefined && waiting.length > 0) {
      this.#error = undefined;
      waiting.shift()?.reject(error);
    }
    for (const { resolve } of waiting) resolve({ value: undefined, done: true });
  }

  /** @returns {Promise<IteratorResult<Update, undefined>>} */
  next() {
    const update = this.#queue.shift();
    if (update !== undefined) return Promise.resolve({ value: update, done: false });
    if (!this.#hasEnded) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) return Promise.reject(error);
    return Promise.resolve({ value: undefined, done: true });
  }

  /** End, because the loop was left. @returns {Promise<IteratorResult<Update, undefined>>} */
  return() {
    this.#queue = [];
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** Keep the newest update of each pillow, in order of arrival. */
  #coalesce() {
    /** @type {Map<string, Update>} */
    const newest = new Map();
    for (const update of this.#queue) {
      const older = newest.get(update.id);
      newest.delete(update.id);
      newest.set(update.id, older === undefined ? update : { ...update, previous: older.previous });
    }
    this.#queue = [...newest.values()];
  }
}

/** The iterators of one client that have not ended. */
export class UpdateIterators {
  /** @type {Set<UpdateIterator>} */
  #iterators = new Set();
  #onUnused;

  /** @param {() => void} [onUnused] called when the last iterator has ended */
  constructor(onUnused) {
    this.#onUnused = onUnused;
  }

  /** Number of iterators that have not ended. */
  get size() {
    return this.#iterators.size;
  }

  /**
   * Create an iterator that begins with the known states.
   *
   * @param {Pick<import("./store.js").Store, "pillows" | "cursor">} store
   */
  create(store) {
    const iterator = new UpdateIterator((ended) => {
      this.#iterators.delete(ended);
      if (this.#iterators.size === 0) this.#onUnused?.();
    });
    const known = [...store.pillows];
    known.forEach(([id, pillow], index) => {
      const cursor = index === known.length - 1 ? store.cursor : null;
      iterator.push({ id, pillow, previous: undefined, cursor });
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  /** @param {Update[]} updates */
  push(updates) {
    for (const iterator of this.#iterators) updates.forEach((update) => iterator.push(update));
  }

  /** @param {unknown} [error] */
  end(error) {
    for (const iterator of this.#iterators) iterator.end(error);
  }
}
