/** The events of a client and their types. */
import { FrameError } from "./frames.js";
export type Frame = import("./frames.js").Frame;
export type Freshness = import("./freshness.js").Freshness;
export type Update = import("./store.js").Update;
export type ChangeDetail = {
    /**
     * every new state, in order
     */
    updates: Update[];
    /**
     * ids of pillows with a new state, each once
     */
    changed: string[];
    /**
     * ids of pillows that were removed, each once
     */
    removed: string[];
    /**
     * whether the updates are the current states, not changes of them
     */
    isSnapshot: boolean;
    /**
     * of a snapshot: whether it holds only what changed after the cursor,
     * so that all other known states are still valid
     */
    isResumed: boolean;
    /**
     * of a snapshot: whether it continues the one before, of a large fleet
     */
    isContinued: boolean;
    /**
     * when the gateway sent it, in ms on its clock
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
/** @typedef {import("./frames.js").Frame} Frame */
/** @typedef {import("./freshness.js").Freshness} Freshness */
/** @typedef {import("./store.js").Update} Update */
/**
 * Detail of a `change` event.
 *
 * @typedef {object} ChangeDetail
 * @property {Update[]} updates every new state, in order
 * @property {string[]} changed ids of pillows with a new state, each once
 * @property {string[]} removed ids of pillows that were removed, each once
 * @property {boolean} isSnapshot whether the updates are the current states, not changes of them
 * @property {boolean} isResumed of a snapshot: whether it holds only what changed after the cursor,
 *   so that all other known states are still valid
 * @property {boolean} isContinued of a snapshot: whether it continues the one before, of a large fleet
 * @property {number | null} sent when the gateway sent it, in ms on its clock
 */
/** Detail of a `connection` event. @typedef {{connection: Freshness, since: number}} ConnectionDetail */
/** @typedef {CustomEvent<ChangeDetail>} ChangeEvent */
/** @typedef {CustomEvent<ConnectionDetail>} ConnectionEvent */
/** @typedef {CustomEvent<FrameError>} FaultEvent */
/** @typedef {Parameters<EventTarget["addEventListener"]>[1]} AnyListener */
/** @typedef {Parameters<EventTarget["addEventListener"]>[2]} ListenOptions */
/** @typedef {Parameters<EventTarget["removeEventListener"]>[2]} UnlistenOptions */
/** @typedef {{change: ChangeEvent, connection: ConnectionEvent, fault: FaultEvent}} Events */
/** An EventTarget whose listeners know the type of each event. */
export declare class ClientEventTarget extends EventTarget {
    #private;
    /** Whether a listener was ever added. */
    get hasListened(): boolean;
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
     * @param {any} listener either of the overloads
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
     * @param {any} listener either of the overloads
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
     * @param {any} listener either of the overloads
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
     * @param {any} listener either of the overloads
     * @param {UnlistenOptions} [options]
     */
    removeEventListener(type: string, listener: AnyListener, options?: UnlistenOptions): void;
}
/**
 * Parse a message; an invalid one fires `fault` and is ignored.
 *
 * @param {unknown} data
 * @param {EventTarget} client
 */
export declare function parseOrReport(data: unknown, client: EventTarget): import("./frames.js").Frame | null;
/**
 * Create an event with a detail. Node.js 18 has no CustomEvent.
 *
 * @param {keyof Events} type
 * @param {ChangeDetail | ConnectionDetail | FrameError} detail
 */
export declare function createEvent(type: keyof Events, detail: ChangeDetail | ConnectionDetail | FrameError): Event & {
    detail: ChangeDetail | ConnectionDetail | FrameError;
};
/**
 * The detail of a `change` event for the updates that a frame brought.
 *
 * @param {Update[]} updates
 * @param {Frame} frame
 * @returns {ChangeDetail}
 */
export declare function changeDetail(updates: Update[], frame: Frame): ChangeDetail;
