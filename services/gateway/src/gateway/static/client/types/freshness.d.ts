/** The freshness of a pillow and of the page. Pure: times are arguments. */
export type Freshness = "connecting" | "live" | "broker-offline" | "disconnected";
export type PillowFreshness = "live" | "quiet" | "notconnected" | "stale" | "unknown";
export type Sign = import("./store.js").Sign;
/** @typedef {"connecting" | "live" | "broker-offline" | "disconnected"} Freshness */
/** @typedef {"live" | "quiet" | "notconnected" | "stale" | "unknown"} PillowFreshness */
/** @typedef {import("./store.js").Sign} Sign */
/** A pillow that gave no sign of life for this long is quiet; the gateway marks it `notconnected` later. */
export declare const QUIET_AFTER_MS = 15000;
/**
 * For how long a pillow has given no sign of life, in ms.
 *
 * The local clock stands still while some machines sleep, and the gateway's clock may be set back: each
 * would make a silent pillow look alive, so the longer silence counts.
 *
 * @param {Sign} sign
 * @param {{now: number, gatewayNow: number}} times local time, and the gateway's
 */
export declare function silence({ aliveAt, receivedAt }: Sign, { now, gatewayNow }: {
    now: number;
    gatewayNow: number;
}): number;
/**
 * Freshness of a pillow while the connection is live.
 *
 * @param {{state: string, clock?: string}} pillow
 * @param {number} silentMs for how long it has given no sign of life
 * @param {number} [ageMs] how long ago its state was true
 * @returns {"live" | "quiet" | "notconnected"}
 */
export declare function freshness(pillow: {
    state: string;
    clock?: string;
}, silentMs: number, ageMs?: number): "live" | "quiet" | "notconnected";
/**
 * Freshness of a pillow of a client.
 *
 * @param {Pick<import("./store.js").Store, "pillows" | "sign" | "isUnconfirmed">} store
 * @param {string} id
 * @param {{isLive: boolean, now: number, gatewayNow: number}} facts `isLive`: the connection is live; local
 *   time, and the gateway's
 * @returns {PillowFreshness}
 */
export declare function freshnessOf(store: Pick<import("./store.js").Store, "pillows" | "sign" | "isUnconfirmed">, id: string, { isLive, now, gatewayNow }: {
    isLive: boolean;
    now: number;
    gatewayNow: number;
}): PillowFreshness;
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
/** Whether the known states are live, and since when. */
export declare class Liveness {
    /** Whether a snapshot arrived on the current connection. */
    synced: boolean;
    /** Whether a connection or an attempt has failed. */
    lost: boolean;
    /** @type {Freshness} */
    connection: Freshness;
    /** Since when `connection` has its value, on the local clock. */
    since: number;
    /** @param {number} now local time */
    constructor(now: number);
    /**
     * Evaluate it anew.
     *
     * @param {string | null} broker
     * @param {{now: number, lastReceivedAt: number | null}} times on the local clock
     * @returns {boolean} whether it has changed
     */
    evaluate(broker: string | null, { now, lastReceivedAt }: {
        now: number;
        lastReceivedAt: number | null;
    }): boolean;
}
