/**
 * Bounded queues of updates, which `for await` reads.
 *
 * A reader that keeps up receives every update. For one that does not, the queue is reduced to the
 * newest state of each pillow, as the gateway does for a slow browser.
 */
export type Update = import("./store.js").Update;
/** @typedef {import("./store.js").Update} Update */
/** Above this length the queue is reduced to the newest update of each pillow. */
export declare const MAX_QUEUED = 1000;
/** @implements {AsyncIterableIterator<Update>} */
export declare class UpdateIterator implements AsyncIterableIterator<Update> {
    #private;
    /** @param {(iterator: UpdateIterator) => void} [onEnd] called once, when the iterator ends */
    constructor(onEnd?: (iterator: UpdateIterator) => void);
    /** @param {Update} update */
    push(update: Update): void;
    /** End after the queued updates; the next read after them throws the error once. @param {unknown} [error] */
    end(error?: unknown): void;
    /** @returns {Promise<IteratorResult<Update, undefined>>} */
    next(): Promise<IteratorResult<Update, undefined>>;
    /** End, because the loop was left. @returns {Promise<IteratorResult<Update, undefined>>} */
    return(): Promise<IteratorResult<Update, undefined>>;
    [Symbol.asyncIterator](): this;
}
/** The iterators of one client that have not ended. */
export declare class UpdateIterators {
    #private;
    /** @param {() => void} [onUnused] called when the last iterator has ended */
    constructor(onUnused?: () => void);
    /** Number of iterators that have not ended. */
    get size(): number;
    /**
     * Create an iterator that begins with the known states.
     *
     * @param {Pick<import("./store.js").Store, "pillows" | "cursor">} store
     */
    create(store: Pick<import("./store.js").Store, "pillows" | "cursor">): UpdateIterator;
    /** @param {Update[]} updates */
    push(updates: Update[]): void;
    /** @param {unknown} [error] */
    end(error?: unknown): void;
}
