/**
 * Pillowcast's client: the live state of cloud pillows, in any page or program.
 *
 *     import { connect } from "https://pillows.example/pillowcast.js";
 *
 *     for await (const { id, pillow } of connect({ pillows: ["cloud-1"] })) {
 *       console.log(id, pillow ? pillow.state : "removed");
 *     }
 *
 * It keeps one connection to the gateway, reconnects, resumes at its cursor, and reports at every
 * moment whether the known states are live.
 */
import { ClientEventTarget } from "./client_events.js";
export { RefusedError } from "./errors.js";
export { FrameError, isPillowId } from "./frames.js";
export { journey, quantile } from "./latency.js";
export { instant } from "./store.js";
export type Frame = import("./frames.js").Frame;
export type Pillow = import("./frames.js").Pillow;
export type Hops = import("./frames.js").Hops;
export type Update = import("./store.js").Update;
export type Freshness = import("./store.js").Freshness;
export type PillowFreshness = import("./store.js").PillowFreshness;
export type Status = import("./connection.js").Status;
export type Surroundings = import("./connection.js").Surroundings;
export type Journey = import("./latency.js").Journey;
export type ChangeDetail = import("./client_events.js").ChangeDetail;
export type ConnectionDetail = import("./client_events.js").ConnectionDetail;
export type ChangeEvent = import("./client_events.js").ChangeEvent;
export type ConnectionEvent = import("./client_events.js").ConnectionEvent;
export type FaultEvent = import("./client_events.js").FaultEvent;
export type AnyListener = import("./client_events.js").AnyListener;
export type ListenOptions = import("./client_events.js").ListenOptions;
export type UnlistenOptions = import("./client_events.js").UnlistenOptions;
export type Events = import("./client_events.js").Events;
export type Options = import("./options.js").Options;
export type Injected = import("./options.js").Injected;
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {import("./frames.js").Hops} Hops */
/** @typedef {import("./store.js").Update} Update */
/** @typedef {import("./store.js").Freshness} Freshness */
/** @typedef {import("./store.js").PillowFreshness} PillowFreshness */
/** @typedef {import("./connection.js").Status} Status */
/** @typedef {import("./connection.js").Surroundings} Surroundings */
/** @typedef {import("./latency.js").Journey} Journey */
/** @typedef {import("./client_events.js").ChangeDetail} ChangeDetail */
/** @typedef {import("./client_events.js").ConnectionDetail} ConnectionDetail */
/** @typedef {import("./client_events.js").ChangeEvent} ChangeEvent */
/** @typedef {import("./client_events.js").ConnectionEvent} ConnectionEvent */
/** @typedef {import("./client_events.js").FaultEvent} FaultEvent */
/** @typedef {import("./client_events.js").AnyListener} AnyListener */
/** @typedef {import("./client_events.js").ListenOptions} ListenOptions */
/** @typedef {import("./client_events.js").UnlistenOptions} UnlistenOptions */
/** @typedef {import("./client_events.js").Events} Events */
/** @typedef {import("./options.js").Options} Options */
/** @typedef {import("./options.js").Injected} Injected */
/** Create a client and connect it. @param {Options & Injected & Surroundings} [options] */
export declare function connect(options?: Options & Injected & Surroundings): Pillowcast;
/**
 * The live state of pillows.
 *
 * Events:
 * - `change` (ChangeEvent): there are new states
 * - `connection` (ConnectionEvent): whether the known states are live has changed, or `status` has
 * - `fault` (FaultEvent): a frame was invalid and is ignored; `detail` is its FrameError
 *
 * `for await` over it gives every Update, beginning with the known states.
 */
export declare class Pillowcast extends ClientEventTarget {
    #private;
    /** @param {Options & Injected & Surroundings} [options] */
    constructor({ url, pillows, cursor, signal, onChange, onConnection, page, ...injected }?: Options & Injected & Surroundings);
    /** The position in the gateway's stream, from which another client can resume; null at first. */
    get cursor(): string | null;
    /** The newest state of each pillow by id: the gateway's own objects, which must not be changed. */
    get pillows(): Map<string, import("./frames.js").Pillow>;
    /** Whether the known states are live. */
    get connection(): import("./store.js").Freshness;
    /** Local time in ms since when `connection` has its value. */
    get since(): number;
    /** What the connection does, when the next attempt is, and why. @returns {Status} */
    get status(): Status;
    /** Shortest measured round trip to the gateway in ms; null before the first measurement. */
    get roundTripMs(): number | null;
    /** The gateway's clock minus the local clock in ms; null before the first frame. */
    get clockOffsetMs(): number | null;
    /** The gateway's time, in ms since 1970. */
    now(): number;
    /** How long ago the state of a pillow was true, in ms; NaN of an unknown pillow. @param {string} id */
    age(id: string): number;
    /**
     * Freshness of a pillow: `live`, `quiet` or `notconnected` while the connection is live, otherwise
     * `stale`; `unknown` of a pillow without a state.
     *
     * @param {string} id
     * @returns {PillowFreshness}
     */
    freshness(id: string): PillowFreshness;
    /** Subscribe to these pillows instead. @param {string[] | "all"} pillows */
    subscribe(pillows: string[] | "all"): void;
    /** Connect; without effect if it is connected already, or if its signal was aborted. */
    open(): this;
    /** Try again now instead of after the delay; also after a refusal. */
    retry(): void;
    /** Disconnect; every `for await` ends. `open()` connects again. */
    close(): void;
    /** Every update, beginning with the known states. */
    [Symbol.asyncIterator](): import("./update_iterator.js").UpdateIterator;
}
