/**
 * Updates that wait for whoever reads them with `for await`.
 *
 * Bounded: a reader that keeps up gets every update; for one that does not, the oldest wait
 * gives way to the newest state of each pillow, as the gateway does it for a slow browser.
 */
export type Update = import("./store.js").Update;
/** @typedef {import("./store.js").Update} Update */
/** So many updates wait one by one before only the newest of each pillow is kept. */
export declare const WAITING = 1000;
/** @implements {AsyncIterableIterator<Update>} */
export declare class Updates implements AsyncIterableIterator<Update> {
    #private;
    /** @param {(updates: Updates) => void} [onEnd] told once, when nobody reads any more */
    constructor(onEnd?: (updates: Updates) => void);
    /** @param {Update} update */
    push(update: Update): void;
    /** Nothing comes any more; with a fault, reading on throws it once. @param {unknown} [fault] */
    end(fault?: unknown): void;
    /** @returns {Promise<IteratorResult<Update, undefined>>} */
    next(): Promise<IteratorResult<Update, undefined>>;
    /** The loop was left. @returns {Promise<IteratorResult<Update, undefined>>} */
    return(): Promise<IteratorResult<Update, undefined>>;
    [Symbol.asyncIterator](): this;
}
