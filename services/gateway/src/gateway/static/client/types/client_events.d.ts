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
export type WatchingEvent = CustomEvent<{
    watching: number | null;
}>;
export type ListenOptions = Parameters<EventTarget["addEventListener"]>[2];
export type UnlistenOptions = Parameters<EventTarget["removeEventListener"]>[2];
export type MotionEvent = CustomEvent<{
    pillows: import("./frames.js").Pillow[];
}>;
export type Events = {
    change: ChangeEvent;
    connection: ConnectionEvent;
    fault: FaultEvent;
    watching: WatchingEvent;
    motion: MotionEvent;
};
export type EventName = keyof Events;
export type Listener<T extends EventName> = ((event: Events[T]) => void) | {
    handleEvent(event: Events[T]): void;
} | null;
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
/** @typedef {CustomEvent<{watching: number | null}>} WatchingEvent */
/** @typedef {Parameters<EventTarget["addEventListener"]>[2]} ListenOptions */
/** @typedef {Parameters<EventTarget["removeEventListener"]>[2]} UnlistenOptions */
/** The states whose samples have come, with these as `motion`. @typedef {CustomEvent<{pillows: import("./frames.js").Pillow[]}>} MotionEvent */
/** @typedef {{change: ChangeEvent, connection: ConnectionEvent, fault: FaultEvent, watching: WatchingEvent, motion: MotionEvent}} Events */
/** @typedef {keyof Events} EventName */
/**
 * @template {EventName} T
 * @typedef {((event: Events[T]) => void) | {handleEvent(event: Events[T]): void} | null} Listener
 */
/** An EventTarget whose listeners know the type of each event. */
export declare class ClientEventTarget extends EventTarget {
    #private;
    /** Whether there is a listener, of one type or of any. @param {EventName} [type] */
    hasListener(type?: EventName): boolean;
    /**
     * @template {EventName} T
     * @param {T} type
     * @param {Listener<T>} listener
     * @param {ListenOptions} [options]
     */
    addEventListener<T extends EventName>(type: T, listener: Listener<T>, options?: ListenOptions): void;
    /**
     * @template {EventName} T
     * @param {T} type
     * @param {Listener<T>} listener
     * @param {UnlistenOptions} [options]
     */
    removeEventListener<T extends EventName>(type: T, listener: Listener<T>, options?: UnlistenOptions): void;
}
/** Parses messages; counts what is invalid, and fires `fault` for it. */
export declare class FaultLog {
    #private;
    /** How many frames, and pillows within frames, were invalid. */
    count: number;
    /** @param {EventTarget} client */
    constructor(client: EventTarget);
    /** Parse a message, without the pillows that are invalid; null if it is invalid itself. @param {unknown} data */
    parse(data: unknown): import("./frames.js").Frame | null;
}
/** Fires the events `connection` and `watching` of a client when what they report has changed. */
export declare class StateReporter {
    #private;
    /**
     * @param {import("./client_state.js").ClientState} client
     * @param {import("./freshness.js").Liveness} liveness that of the client
     */
    constructor(client: import("./client_state.js").ClientState, liveness: import("./freshness.js").Liveness);
    /**
     * Open the client. `connect` has not returned it yet, so a listener could not use it: `connection` is fired in
     * a microtask. There the detail is the state at that time, because a socket may fail at once.
     *
     * @param {() => void} open
     */
    whileOpening(open: () => void): void;
    /**
     * Evaluate whether the known states are live; fire `connection` if that or `status` has changed.
     *
     * @param {string | null} broker
     * @param {{now: number, lastReceivedAt: number | null}} times on the local clock
     * @param {{hasStatusChanged?: boolean | undefined}} [what]
     */
    reportConnection(broker: string | null, times: {
        now: number;
        lastReceivedAt: number | null;
    }, { hasStatusChanged }?: {
        hasStatusChanged?: boolean | undefined;
    }): void;
    reportWatching(): void;
}
/**
 * Create an event with a detail. Node.js 18 has no CustomEvent.
 *
 * @param {keyof Events} type
 * @param {Events[keyof Events]["detail"]} detail
 */
export declare function createEvent(type: keyof Events, detail: Events[keyof Events]["detail"]): Event & {
    detail: ChangeDetail | ConnectionDetail | FrameError | {
        watching: number | null;
    } | {
        pillows: import("./frames.js").Pillow[];
    };
};
/**
 * The detail of a `change` event for the updates that a frame brought.
 *
 * @param {Update[]} updates
 * @param {Frame} frame
 * @returns {ChangeDetail}
 */
export declare function changeDetail(updates: Update[], frame: Frame): ChangeDetail;
