/** What a client knows: the states of the pillows, how fresh they are, and the clocks. */
import { ClientEventTarget } from "./client_events.js";
export type Known = {
    store: Pick<import("./store.js").Store, "cursor" | "pillows" | "isLoading" | "retained" | "watching" | "sign" | "isUnconfirmed">;
    time: import("./timekeeper.js").Timekeeper;
    liveness: import("./freshness.js").Liveness;
};
/**
 * @typedef {object} Known
 * @property {Pick<import("./store.js").Store, "cursor" | "pillows" | "isLoading" | "retained" | "watching" | "sign" | "isUnconfirmed">} store
 * @property {import("./timekeeper.js").Timekeeper} time
 * @property {import("./freshness.js").Liveness} liveness
 */
export declare class ClientState extends ClientEventTarget {
    #private;
    /** @param {Known} known */
    constructor(known: Known);
    /** The position in the gateway's stream, from which another client can resume; null at first. */
    get cursor(): string | null;
    /** The newest state of each pillow by id: the gateway's own objects, which must not be changed. */
    get pillows(): Map<string, import("./frames.js").Pillow>;
    /** Whether states are still to come, of a fleet that is too large for one frame. */
    get isLoading(): boolean;
    /** Whether the broker delivers the states that it retains; without them a pillow is unknown until it speaks. */
    get isRetained(): boolean;
    /** How many clients the gateway has, this one among them; null while the connection is not live, or the gateway does not say. */
    get watching(): number | null;
    /** Whether the known states are live. */
    get connection(): import("./freshness.js").Freshness;
    /** Local time in ms since when `connection` has its value. */
    get since(): number;
    /** For how long `connection` has had its value, in ms, whatever happened to the local time. */
    get lastingMs(): number;
    /** Shortest measured round trip to the gateway in ms; null before the first measurement. */
    get roundTripMs(): number | null;
    /** The gateway's clock minus the local clock in ms; null before the first frame. */
    get clockOffsetMs(): number | null;
    /** The queue's clock minus the gateway's in ms; null while the gateway does not know it. */
    get queueOffsetMs(): number | null;
    /** The gateway's time, in ms since 1970. */
    now(): number;
    /** How long ago the state of a pillow was true, in ms; NaN of an unknown pillow. @param {string} id */
    age(id: string): number;
    /**
     * Freshness of a pillow: `live`, `quiet` or `notconnected` while the connection is live, otherwise
     * `stale`; `unknown` of a pillow without a state.
     *
     * @param {string} id
     * @returns {import("./freshness.js").PillowFreshness}
     */
    freshness(id: string): import("./freshness.js").PillowFreshness;
}
