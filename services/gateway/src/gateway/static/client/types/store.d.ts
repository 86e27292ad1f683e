/**
 * The newest state of each pillow, and the freshness of a pillow and of the page.
 *
 * Pure: the time is an argument, in ms since 1970.
 */
export type Frame = import("./frames.js").Frame;
export type Pillow = import("./frames.js").Pillow;
export type Freshness = "connecting" | "live" | "broker-offline" | "disconnected";
export type PillowFreshness = "live" | "quiet" | "notconnected" | "stale" | "unknown";
export type Update = {
    id: string;
    /**
     * null if the pillow was removed
     */
    pillow: Pillow | null;
    /**
     * the state before; undefined if none was known
     */
    previous: Pillow | undefined;
    /**
     * from which to resume once this update was handled; null within a
     * first snapshot, which must be received again as a whole
     */
    cursor: string | null;
};
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {"connecting" | "live" | "broker-offline" | "disconnected"} Freshness */
/** @typedef {"live" | "quiet" | "notconnected" | "stale" | "unknown"} PillowFreshness */
/**
 * A new state of a pillow, or its removal.
 *
 * @typedef {object} Update
 * @property {string} id
 * @property {Pillow | null} pillow null if the pillow was removed
 * @property {Pillow | undefined} previous the state before; undefined if none was known
 * @property {string | null} cursor from which to resume once this update was handled; null within a
 *   first snapshot, which must be received again as a whole
 */
/** A pillow without a new state for this long is quiet; the gateway marks it `notconnected` later. */
export declare const QUIET_AFTER_MS = 15000;
/**
 * Milliseconds since 1970 of an RFC 3339 time, with finer digits as a fraction; NaN for any other text.
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
    /** The gateway's own objects by id. @type {Map<string, Pillow>} */
    pillows: Map<string, Pillow>;
    /** Position in the gateway's stream; null before the first snapshot. @type {string | null} */
    cursor: string | null;
    /** Whether the gateway is connected to its broker; null before the first snapshot. @type {import("./frames.js").Broker | null} */
    broker: import("./frames.js").Broker | null;
    /** @param {string | null} [cursor] of an earlier client, which knows the states up to there */
    constructor(cursor?: string | null);
    /**
     * Apply a frame.
     *
     * @param {Frame} frame
     * @returns {Update[]} every new state, in order; a pillow may occur twice
     */
    apply(frame: Frame): Update[];
    /**
     * Server time in ms at which the state of a pillow was true: its `at`, but not later than the send
     * time of its frame, because the clock of a pillow may be ahead. NaN of an unknown pillow.
     *
     * @param {string} id
     */
    asOf(id: string): number;
}
/**
 * Freshness of a pillow while the connection is live.
 *
 * @param {{state: string}} pillow
 * @param {number} ageMs how long ago its state was true
 * @returns {"live" | "quiet" | "notconnected"}
 */
export declare function freshness(pillow: {
    state: string;
}, ageMs: number): "live" | "quiet" | "notconnected";
/**
 * Freshness of the page as a whole.
 *
 * @param {{synced: boolean, lost: boolean, broker: string | null}} facts `synced`: a snapshot
 *   arrived on the current connection; `lost`: at least one connection or attempt has failed
 * @returns {Freshness}
 */
export declare function pageFreshness({ synced, lost, broker }: {
    synced: boolean;
    lost: boolean;
    broker: string | null;
}): Freshness;
