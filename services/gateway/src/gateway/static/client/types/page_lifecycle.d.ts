/**
 * When a page needs its connection: not while it is frozen, and not after it was hidden for a while.
 * When the network is lost or back, or the page is visible again, the connection is checked.
 */
export type PageTargets = {
    window?: EventTarget & {
        navigator?: {
            onLine?: boolean;
        };
    };
    document?: EventTarget & {
        visibilityState: string;
    };
};
export type LifecycleCallbacks = {
    /**
     * the network is lost
     */
    onOffline: () => void;
    /**
     * the network is back, or the page is visible or no longer frozen
     */
    onWake: () => void;
    /**
     * the page does not show what arrives
     */
    onSuspend: (reason: string) => void;
};
/** @typedef {{window?: EventTarget & {navigator?: {onLine?: boolean}}, document?: EventTarget & {visibilityState: string}}} PageTargets */
/**
 * @typedef {object} LifecycleCallbacks
 * @property {() => void} onOffline the network is lost
 * @property {() => void} onWake the network is back, or the page is visible or no longer frozen
 * @property {(reason: string) => void} onSuspend the page does not show what arrives
 */
/** A page that was hidden for this long closes its connection, and resumes when it is visible. */
export declare const HIDDEN_TIMEOUT_MS = 300000;
/** The same of an event stream: it takes one of the six connections that a browser makes to a host by HTTP/1.1. */
export declare const HIDDEN_EVENTS_TIMEOUT_MS = 10000;
export declare class PageLifecycle {
    #private;
    /**
     * @param {PageTargets | undefined} page the global `window` and `document` by default; Node.js has none
     * @param {LifecycleCallbacks} callbacks
     * @param {import("./sockets.js").Timers} timers
     * @param {() => number | null} hiddenTimeout returns the time in ms; null: a hidden page stays connected
     */
    constructor(page: PageTargets | undefined, callbacks: LifecycleCallbacks, timers: import("./sockets.js").Timers, hiddenTimeout: () => number | null);
    /** Start to listen; without effect if it listens already. */
    start(): void;
    stop(): void;
    /** Whether the browser knows that it has no network. */
    get isOffline(): boolean;
}
