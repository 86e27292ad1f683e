/**
 * What is known of the pillows: frames in, newest state of each out.
 *
 * Pure: no clock and no socket; the time comes in as an argument.  Also here, because they
 * are the same question asked of the same facts: how fresh a pillow is, and how fresh the page.
 */
export type Frame = import("./frames.js").Frame;
export type Pillow = import("./frames.js").Pillow;
export type Freshness = "connecting" | "live" | "broker-offline" | "disconnected";
export type PillowFreshness = "live" | "quiet" | "notconnected" | "stale" | "unknown";
export type Update = {
    id: string;
    /**
     * null when the pillow was removed
     */
    pillow: Pillow | null;
    /**
     * what was known before; undefined when nothing was
     */
    previous: Pillow | undefined;
    /**
     * what to resume from once this one was dealt with; null in the
     * middle of a first snapshot, which has to be told again
     */
    cursor: string | null;
};
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {"connecting" | "live" | "broker-offline" | "disconnected"} Freshness */
/** @typedef {"live" | "quiet" | "notconnected" | "stale" | "unknown"} PillowFreshness */
/**
 * One pillow's next state, or its end.
 *
 * @typedef {object} Update
 * @property {string} id
 * @property {Pillow | null} pillow null when the pillow was removed
 * @property {Pillow | undefined} previous what was known before; undefined when nothing was
 * @property {string | null} cursor what to resume from once this one was dealt with; null in the
 *   middle of a first snapshot, which has to be told again
 */
/** After this long without a new state a pillow is quiet, before the gateway gives it up. */
export declare const QUIET_AFTER_MS = 15000;
/**
 * Milliseconds since 1970 of an RFC 3339 time, with what is finer as a fraction; NaN when it
 * is none.
 *
 * @param {string | undefined} text
 * @returns {number}
 */
export declare function instant(text: string | undefined): number;
/**
 * Whether `pillow` is strictly older than `known`, by `at` and then `seq`.
 *
 * @param {Pillow} pillow
 * @param {Pillow} known
 */
export declare function isOlder(pillow: Pillow, known: Pillow): boolean;
/** The newest state of each pillow. */
export declare class Store {
    #private;
    /** Pillow objects as the gateway sent them, by id. @type {Map<string, Pillow>} */
    pillows: Map<string, Pillow>;
    /** Where in the gateway's stream this store is; null before the first snapshot. @type {string | null} */
    cursor: string | null;
    /** Whether the gateway has its broker; null when not yet told. @type {import("./frames.js").Broker | null} */
    broker: import("./frames.js").Broker | null;
    /** @param {string | null} [cursor] that of whoever was here before, and knows what was known then */
    constructor(cursor?: string | null);
    /**
     * Take in one frame.
     *
     * @param {Frame} frame
     * @returns {Update[]} every state that is news, in order; the same pillow may come twice
     */
    apply(frame: Frame): Update[];
    /**
     * Server time in ms at which the state of a pillow was true: its `at`, but never later than
     * the frame that brought it, so that a pillow whose clock runs ahead cannot stay young.
     *
     * @param {string} id
     */
    asOf(id: string): number;
}
/**
 * How fresh a pillow is while the page itself is live.
 *
 * @param {{state: string}} pillow
 * @param {number} ageMs how long ago its state was true
 * @returns {"live" | "quiet" | "notconnected"}
 */
export declare function freshness(pillow: {
    state: string;
}, ageMs: number): "live" | "quiet" | "notconnected";
/**
 * How fresh the page is as a whole.
 *
 * @param {{synced: boolean, lost: boolean, broker: string | null}} facts `synced`: a snapshot
 *   came on the connection now open; `lost`: at least one connection or attempt has failed
 * @returns {Freshness}
 */
export declare function pageFreshness({ synced, lost, broker }: {
    synced: boolean;
    lost: boolean;
    broker: string | null;
}): Freshness;
