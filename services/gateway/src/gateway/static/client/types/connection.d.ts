/**
 * A connection to the gateway that reconnects after a loss.
 *
 * It opens and closes sockets, detects silence and schedules attempts; retry_policy.js decides the
 * delays. It does not read the messages. WebSocket class, clocks, timers and random numbers are
 * injected, so that tests need neither a browser nor real time.
 */
export declare const CONNECT_TIMEOUT_MS = 10000;
/** After a probe, an answer must arrive within this time. */
export declare const PROBE_TIMEOUT_MS = 5000;
/** A connection that has received messages for this long resets the count of failed attempts. */
export declare const STABLE_AFTER_MS = 5000;
export type SocketLike = import("./sockets.js").SocketLike;
export type Transport = import("./sockets.js").Transport;
export type Status = {
    phase: "idle" | "connecting" | "open" | "waiting" | "suspended" | "stopped";
    /**
     * of the current or the last connection
     */
    transport: Transport;
    /**
     * ms until the next attempt, in phase `waiting`
     */
    retryInMs: number | null;
    /**
     * the same as local time in ms
     */
    retryAt: number | null;
    /**
     * close code that led to this phase, if there was one
     */
    code: number | null;
    /**
     * text for a person
     */
    reason: string;
};
export type Surroundings = {
    /**
     * null for none; `globalThis.WebSocket` by default
     */
    WebSocket?: import("./sockets.js").SocketClass | null;
    /**
     * opens the SSE stream
     */
    events?: import("./sockets.js").OpenEvents | null;
    /**
     * wall clock in ms, for times that are shown
     */
    clock?: () => number;
    /**
     * clock in ms that nobody sets, for durations
     */
    monotonic?: () => number;
    timers?: import("./sockets.js").Timers;
    /**
     * in [0, 1)
     */
    random?: () => number;
};
export type Callbacks = {
    /**
     * returns the URL for each attempt
     */
    address: (transport: Transport) => string;
    onMessage: (data: unknown) => void;
    onStatus: (status: Status) => void;
    /**
     * whether a connection that ended with UNAUTHORIZED may be tried again
     */
    mayRenew?: () => boolean;
    /**
     * whether there is no network, so that no attempt is made
     */
    isOffline?: () => boolean;
    /**
     * sends a message that the gateway answers
     */
    sendProbe?: () => void;
};
/** @typedef {import("./sockets.js").SocketLike} SocketLike */
/** @typedef {import("./sockets.js").Transport} Transport */
/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "open" | "waiting" | "suspended" | "stopped"} phase
 * @property {Transport} transport of the current or the last connection
 * @property {number | null} retryInMs ms until the next attempt, in phase `waiting`
 * @property {number | null} retryAt the same as local time in ms
 * @property {number | null} code close code that led to this phase, if there was one
 * @property {string} reason text for a person
 */
/**
 * @typedef {object} Surroundings dependencies that a test replaces
 * @property {import("./sockets.js").SocketClass | null} [WebSocket] null for none; `globalThis.WebSocket` by default
 * @property {import("./sockets.js").OpenEvents | null} [events] opens the SSE stream
 * @property {() => number} [clock] wall clock in ms, for times that are shown
 * @property {() => number} [monotonic] clock in ms that nobody sets, for durations
 * @property {import("./sockets.js").Timers} [timers]
 * @property {() => number} [random] in [0, 1)
 */
/**
 * @typedef {object} Callbacks
 * @property {(transport: Transport) => string} address returns the URL for each attempt
 * @property {(data: unknown) => void} onMessage
 * @property {(status: Status) => void} onStatus
 * @property {() => boolean} [mayRenew] whether a connection that ended with UNAUTHORIZED may be tried again
 * @property {() => boolean} [isOffline] whether there is no network, so that no attempt is made
 * @property {() => void} [sendProbe] sends a message that the gateway answers
 */
export declare class Connection {
    #private;
    /** Monotonic time in ms of the last message; null before the first. @type {number | null} */
    lastReceivedAt: number | null;
    /** @param {Callbacks & Surroundings} options */
    constructor({ address, onMessage, onStatus, mayRenew, isOffline, sendProbe, WebSocket, events, clock, monotonic, timers, random }: Callbacks & Surroundings);
    /** What it does now. @returns {Status} */
    get status(): Status;
    get phase(): "connecting" | "idle" | "open" | "stopped" | "suspended" | "waiting";
    /** Connect now, also from the phases `waiting`, `suspended` and `stopped`; without effect on an open connection. */
    open(): void;
    /** Close without another attempt; `open()` connects again. */
    close(): void;
    /** Close until `wake()`, because nobody looks; without effect on a connection that is not wanted. @param {string} reason */
    suspend(reason: string): void;
    /**
     * Send text over an open WebSocket; nothing is queued.
     *
     * @param {string} text
     * @returns {boolean} whether it was sent
     */
    send(text: string): boolean;
    /** Reconnect an event stream, because its URL has changed and it cannot send. */
    addressChanged(): void;
    /**
     * End a wait and probe an open connection, because the network or the visitor is back. The wait
     * after TOO_MANY_REQUESTS does not end. A refused client is revived once: the refusal may be over.
     */
    wake(): void;
    /** Probe an open connection, because the network is lost, and make no attempt until `wake()`. */
    networkLost(): void;
    /**
     * Check an open connection now.
     *
     * @param {number} [silentMs] a time without messages that the monotonic clock did not measure
     */
    probe(silentMs?: number): void;
    /** Draw the delay after the next loss from this window in ms. @param {[number, number]} window */
    setReconnectWindow(window: [number, number]): void;
    /** Close, and try again later: the connection is of no use. @param {string} reason */
    lose(reason: string): void;
}
