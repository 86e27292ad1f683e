/**
 * Pillowcast's client: the live state of cloud pillows, in any page or program.
 *
 *     import { connect } from "https://pillows.example/pillowcast.js";
 *
 *     for await (const { id, pillow } of connect({ pillows: ["cloud-1"] })) {
 *       console.log(id, pillow ? pillow.state : "removed");
 *     }
 *
 * It keeps one connection to the gateway, comes back by itself, resumes where it was, and says
 * at every moment whether what it knows is live.
 */
import { FrameError } from "./frames.js";
import { Updates } from "./updates.js";
export { journey, quantile } from "./hops.js";
export { FrameError, isPillowId } from "./frames.js";
export { instant } from "./store.js";
export type Frame = import("./frames.js").Frame;
export type Pillow = import("./frames.js").Pillow;
export type Hops = import("./frames.js").Hops;
export type Update = import("./store.js").Update;
export type Freshness = import("./store.js").Freshness;
export type PillowFreshness = import("./store.js").PillowFreshness;
export type Status = import("./connection.js").Status;
export type Surroundings = import("./connection.js").Surroundings;
export type Journey = import("./hops.js").Journey;
export type ChangeDetail = {
    /**
     * every state that is news, in order
     */
    updates: Update[];
    /**
     * the ids of pillows with a new state, each once
     */
    changed: string[];
    /**
     * the ids of pillows that are no more
     */
    removed: string[];
    /**
     * whether it is what is known, and not what happens
     */
    isSnapshot: boolean;
    /**
     * of a snapshot: whether it is only what changed since the cursor, and
     * what was known before still holds
     */
    isResumed: boolean;
    /**
     * when the gateway sent it, ms on its clock
     */
    sent: number | null;
};
export type ConnectionDetail = {
    connection: Freshness;
    since: number;
};
export type ChangeEvent = CustomEvent<ChangeDetail>;
export type ConnectionEvent = CustomEvent<ConnectionDetail>;
export type FaultEvent = CustomEvent<FrameError>;
export type AnyListener = Parameters<EventTarget["addEventListener"]>[1];
export type ListenOptions = Parameters<EventTarget["addEventListener"]>[2];
export type UnlistenOptions = Parameters<EventTarget["removeEventListener"]>[2];
export type Events = {
    change: ChangeEvent;
    connection: ConnectionEvent;
    fault: FaultEvent;
};
export type Options = {
    /**
     * the gateway, as `https://host/`; where it is left out, the one
     * that this module or this page came from
     */
    url?: string | URL;
    /**
     * which pillows; all of them
     */
    pillows?: string[] | "all";
    /**
     * the `cursor` of a client of the same gateway and pillows that was
     * here before: begin with what changed after it, where the gateway still knows
     */
    cursor?: string | null;
    /**
     * closes the client when it is aborted
     */
    signal?: AbortSignal;
    /**
     * listener for `change`
     */
    onChange?: (event: ChangeEvent) => void;
    /**
     * listener for `connection`
     */
    onConnection?: (event: ConnectionEvent) => void;
};
export type Injected = {
    /**
     * for the stream as events
     */
    fetch?: typeof fetch;
    /**
     * where
     * `online` and `visibilitychange` are heard
     */
    page?: {
        window?: EventTarget;
        document?: EventTarget & {
            visibilityState: string;
        };
    };
};
/**
 * What a `change` event tells.
 *
 * @typedef {object} ChangeDetail
 * @property {Update[]} updates every state that is news, in order
 * @property {string[]} changed the ids of pillows with a new state, each once
 * @property {string[]} removed the ids of pillows that are no more
 * @property {boolean} isSnapshot whether it is what is known, and not what happens
 * @property {boolean} isResumed of a snapshot: whether it is only what changed since the cursor, and
 *   what was known before still holds
 * @property {number | null} sent when the gateway sent it, ms on its clock
 */
/** What a `connection` event tells. @typedef {{connection: Freshness, since: number}} ConnectionDetail */
/** @typedef {CustomEvent<ChangeDetail>} ChangeEvent */
/** @typedef {CustomEvent<ConnectionDetail>} ConnectionEvent */
/** @typedef {CustomEvent<FrameError>} FaultEvent */
/** @typedef {Parameters<EventTarget["addEventListener"]>[1]} AnyListener */
/** @typedef {Parameters<EventTarget["addEventListener"]>[2]} ListenOptions */
/** @typedef {Parameters<EventTarget["removeEventListener"]>[2]} UnlistenOptions */
/** @typedef {{change: ChangeEvent, connection: ConnectionEvent, fault: FaultEvent}} Events */
/**
 * @typedef {object} Options
 * @property {string | URL} [url] the gateway, as `https://host/`; where it is left out, the one
 *   that this module or this page came from
 * @property {string[] | "all"} [pillows] which pillows; all of them
 * @property {string | null} [cursor] the `cursor` of a client of the same gateway and pillows that was
 *   here before: begin with what changed after it, where the gateway still knows
 * @property {AbortSignal} [signal] closes the client when it is aborted
 * @property {(event: ChangeEvent) => void} [onChange] listener for `change`
 * @property {(event: ConnectionEvent) => void} [onConnection] listener for `connection`
 */
/**
 * What a test or an unusual place replaces, beside the connection's own.
 *
 * @typedef {object} Injected
 * @property {typeof fetch} [fetch] for the stream as events
 * @property {{window?: EventTarget, document?: EventTarget & {visibilityState: string}}} [page] where
 *   `online` and `visibilitychange` are heard
 */
/** The gateway refused, and trying again would change nothing. */
export declare class RefusedError extends Error {
    code: number | null;
    /**
     * @param {number | null} code close code
     * @param {string} reason
     */
    constructor(code: number | null, reason: string);
}
/**
 * Make a client and connect it.
 *
 * @param {Options & Injected & Surroundings} [options]
 */
export declare function connect(options?: Options & Injected & Surroundings): Pillowcast;
/**
 * The live state of pillows.
 *
 * Events:
 * - `change` (ChangeEvent): states have come
 * - `connection` (ConnectionEvent): whether what is known is live has changed, or the wait for it
 * - `fault` (CustomEvent): `detail` is the FrameError of a frame that was refused
 *
 * `for await` over it gives every Update, beginning with what is known.
 */
export declare class Pillowcast extends EventTarget {
    #private;
    /** @param {Options & Injected & Surroundings} [options] */
    constructor({ url, pillows, cursor, signal, onChange, onConnection, page, ...injected }?: Options & Injected & Surroundings);
    /**
     * @template {keyof Events} T
     * @overload
     * @param {T} type
     * @param {(event: Events[T]) => void} listener
     * @param {ListenOptions} [options]
     * @returns {void}
     */
    /**
     * @overload
     * @param {string} type
     * @param {AnyListener} listener
     * @param {ListenOptions} [options]
     * @returns {void}
     */
    /**
     * @param {string} type
     * @param {any} listener
     * @param {ListenOptions} [options]
     */
    addEventListener<T extends keyof Events>(type: T, listener: (event: Events[T]) => void, options?: ListenOptions): void;
    /**
     * @template {keyof Events} T
     * @overload
     * @param {T} type
     * @param {(event: Events[T]) => void} listener
     * @param {ListenOptions} [options]
     * @returns {void}
     */
    /**
     * @overload
     * @param {string} type
     * @param {AnyListener} listener
     * @param {ListenOptions} [options]
     * @returns {void}
     */
    /**
     * @param {string} type
     * @param {any} listener
     * @param {ListenOptions} [options]
     */
    addEventListener(type: string, listener: AnyListener, options?: ListenOptions): void;
    /**
     * @template {keyof Events} T
     * @overload
     * @param {T} type
     * @param {(event: Events[T]) => void} listener
     * @param {UnlistenOptions} [options]
     * @returns {void}
     */
    /**
     * @overload
     * @param {string} type
     * @param {AnyListener} listener
     * @param {UnlistenOptions} [options]
     * @returns {void}
     */
    /**
     * @param {string} type
     * @param {any} listener
     * @param {UnlistenOptions} [options]
     */
    removeEventListener<T extends keyof Events>(type: T, listener: (event: Events[T]) => void, options?: UnlistenOptions): void;
    /**
     * @template {keyof Events} T
     * @overload
     * @param {T} type
     * @param {(event: Events[T]) => void} listener
     * @param {UnlistenOptions} [options]
     * @returns {void}
     */
    /**
     * @overload
     * @param {string} type
     * @param {AnyListener} listener
     * @param {UnlistenOptions} [options]
     * @returns {void}
     */
    /**
     * @param {string} type
     * @param {any} listener
     * @param {UnlistenOptions} [options]
     */
    removeEventListener(type: string, listener: AnyListener, options?: UnlistenOptions): void;
    /** Where in the stream this client is: with it as option, another one goes on from here; null at first. */
    get cursor(): string | null;
    /** The newest state of each pillow, by id; the gateway's own objects, not to be changed. */
    get pillows(): Map<string, import("./frames.js").Pillow>;
    /** Whether what is known is live. */
    get connection(): import("./store.js").Freshness;
    /** Local time in ms since when `connection` is what it is. */
    get since(): number;
    /** What the connection is doing, when it will try again, and why. @returns {Status} */
    get status(): Status;
    /** Shortest time to the gateway and back, in ms; null before it was measured. */
    get roundTripMs(): number | null;
    /** By how many ms the gateway's clock is ahead of this one; null while nothing is known. */
    get clockOffsetMs(): number | null;
    /** The gateway's time, in ms since 1970. */
    now(): number;
    /** How long ago the state of a pillow was true, in ms; NaN when it is not known. @param {string} id */
    age(id: string): number;
    /**
     * How fresh a pillow is: `live`, `quiet` or `notconnected` while the connection is live;
     * `stale` while it is not; `unknown` when nothing was ever heard of it.
     *
     * @param {string} id
     * @returns {PillowFreshness}
     */
    freshness(id: string): PillowFreshness;
    /** Ask for other pillows. @param {string[] | "all"} pillows */
    subscribe(pillows: string[] | "all"): void;
    /** Connect; nothing when it is connected already, or its signal was aborted. */
    open(): this;
    /** Try again now instead of after the wait; also after a stop. */
    retry(): void;
    /** Disconnect for good; every `for await` ends. */
    close(): void;
    /** Every update, beginning with what is known. @returns {Updates} */
    [Symbol.asyncIterator](): Updates;
}
