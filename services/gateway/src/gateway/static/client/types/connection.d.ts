/**
 * A connection to the gateway that reconnects after a loss.
 *
 * It opens and closes sockets, detects silence and schedules attempts; retry_policy.js decides the
 * delays. It does not read the messages. WebSocket class, clock, timers and random numbers are
 * injected, so that tests need neither a browser nor real time.
 */
export declare const SUBPROTOCOL = "pillowcast.v1";
export declare const CONNECT_TIMEOUT_MS = 10000;
/** A connection without a message for this long is lost: the gateway sends at least every 20 s. */
export declare const SILENCE_TIMEOUT_MS = 30000;
/** After a probe, an answer must arrive within this time. */
export declare const PROBE_TIMEOUT_MS = 5000;
/** A connection that has received messages for this long resets the count of failed attempts. */
export declare const STABLE_AFTER_MS = 5000;
export type Status = {
    phase: "idle" | "connecting" | "open" | "waiting" | "stopped";
    /**
     * of the current or the last connection
     */
    transport: "websocket" | "events";
    /**
     * local time in ms of the next attempt, in phase `waiting`
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
export type SocketLike = {
    onopen: ((event?: any) => void) | null;
    /**
     * receives an event with `data`
     */
    onmessage: ((event: any) => void) | null;
    /**
     * receives an event that may have a `message`
     */
    onerror: ((event?: any) => void) | null;
    /**
     * receives an event with `code` and `reason`
     */
    onclose: ((event: any) => void) | null;
    send: (text: string) => void;
    close: () => void;
};
export type SocketClass = new (address: string, protocols: string[]) => SocketLike;
export type Timers = {
    setTimeout: (callback: () => void, ms: number) => any;
    clearTimeout: (timer: any) => void;
};
export type Surroundings = {
    /**
     * null for none; `globalThis.WebSocket` by default
     */
    WebSocket?: SocketClass | null;
    /**
     * opens the SSE stream
     */
    events?: ((address: string) => SocketLike) | null;
    /**
     * ms; wall clock, because it continues while a laptop sleeps
     */
    clock?: () => number;
    timers?: Timers;
    /**
     * in [0, 1)
     */
    random?: () => number;
};
export type Callbacks = {
    /**
     * returns the URL for each attempt
     */
    address: () => string;
    onMessage: (data: unknown) => void;
    onStatus: (status: Status) => void;
    /**
     * sends a message that the gateway answers
     */
    sendProbe?: () => void;
};
/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "open" | "waiting" | "stopped"} phase
 * @property {"websocket" | "events"} transport of the current or the last connection
 * @property {number | null} retryAt local time in ms of the next attempt, in phase `waiting`
 * @property {number | null} code close code that led to this phase, if there was one
 * @property {string} reason text for a person
 */
/**
 * The common interface of a WebSocket and an event stream. The events are loosely typed, so that the
 * classes of a browser, of Node.js and of the package `ws` are all assignable.
 *
 * @typedef {object} SocketLike
 * @property {((event?: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage receives an event with `data`
 * @property {((event?: any) => void) | null} onerror receives an event that may have a `message`
 * @property {((event: any) => void) | null} onclose receives an event with `code` and `reason`
 * @property {(text: string) => void} send
 * @property {() => void} close
 */
/** @typedef {new (address: string, protocols: string[]) => SocketLike} SocketClass */
/**
 * @typedef {object} Timers
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */
/**
 * @typedef {object} Surroundings dependencies that a test replaces
 * @property {SocketClass | null} [WebSocket] null for none; `globalThis.WebSocket` by default
 * @property {((address: string) => SocketLike) | null} [events] opens the SSE stream
 * @property {() => number} [clock] ms; wall clock, because it continues while a laptop sleeps
 * @property {Timers} [timers]
 * @property {() => number} [random] in [0, 1)
 */
/**
 * @typedef {object} Callbacks
 * @property {() => string} address returns the URL for each attempt
 * @property {(data: unknown) => void} onMessage
 * @property {(status: Status) => void} onStatus
 * @property {() => void} [sendProbe] sends a message that the gateway answers
 */
/** @type {Timers} */
export declare const TIMERS: Timers;
export declare class Connection {
    #private;
    /** @type {Status} */
    status: Status;
    /** Local time in ms of the last message; null before the first. @type {number | null} */
    lastReceivedAt: number | null;
    /** @param {Callbacks & Surroundings} options */
    constructor({ address, onMessage, onStatus, sendProbe, WebSocket, events, clock, timers, random }: Callbacks & Surroundings);
    /** Connect now, also from phase `waiting` or `stopped`; without effect on an open connection. */
    open(): void;
    /** Close without another attempt; `open()` connects again. */
    close(): void;
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
     * after TOO_MANY_REQUESTS does not end.
     */
    wake(): void;
    /** Draw the delay after the next loss from this window in ms. @param {[number, number]} window */
    setReconnectWindow(window: [number, number]): void;
}
