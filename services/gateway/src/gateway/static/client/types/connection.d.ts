/**
 * One connection that comes back.
 *
 * Lives here: when to open, by which way, when to give a connection up, when to try again and
 * when not to.  Not here: what the text means.  WebSocket, clock, timers and random numbers are
 * handed in, so that all of it can be tested in no time and without a browser.
 */
export declare const SUBPROTOCOL = "pillowcast.v1";
export declare const CONNECT_TIMEOUT_MS = 10000;
export declare const SILENCE_MS = 30000;
export declare const PROBE_MS = 5000;
export declare const STABLE_AFTER_MS = 5000;
export declare const TOO_MANY_MS = 30000;
export type Status = {
    phase: "idle" | "connecting" | "open" | "waiting" | "stopped";
    /**
     * by which it is, or was last, connected
     */
    transport: "websocket" | "events";
    /**
     * when waiting: local time in ms of the next attempt
     */
    retryAt: number | null;
    /**
     * close code that led here, when there was one
     */
    code: number | null;
    /**
     * in words, for a person
     */
    reason: string;
};
export type SocketLike = {
    onopen: ((event?: any) => void) | null;
    /**
     * told of a `data`
     */
    onmessage: ((event: any) => void) | null;
    /**
     * told of a `message` where there is one
     */
    onerror: ((event?: any) => void) | null;
    /**
     * told of a `code` and a `reason`
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
     * null for none; the surroundings' own unless given
     */
    WebSocket?: SocketClass | null;
    /**
     * opens the stream as events
     */
    events?: ((address: string) => SocketLike) | null;
    /**
     * ms; wall clock, because it goes on in a sleeping laptop
     */
    clock?: () => number;
    timers?: Timers;
    /**
     * in [0, 1)
     */
    random?: () => number;
};
export type Wiring = {
    /**
     * asked anew for each attempt
     */
    address: () => string;
    onText: (text: unknown) => void;
    onStatus: (status: Status) => void;
    /**
     * say something that will be answered
     */
    onProbe?: () => void;
};
/**
 * @typedef {object} Status
 * @property {"idle" | "connecting" | "open" | "waiting" | "stopped"} phase
 * @property {"websocket" | "events"} transport by which it is, or was last, connected
 * @property {number | null} retryAt when waiting: local time in ms of the next attempt
 * @property {number | null} code close code that led here, when there was one
 * @property {string} reason in words, for a person
 */
/**
 * What a WebSocket and an event stream have in common. The events are loosely typed, so that the
 * class of a browser, of Node.js and of the package `ws` are each accepted.
 *
 * @typedef {object} SocketLike
 * @property {((event?: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage told of a `data`
 * @property {((event?: any) => void) | null} onerror told of a `message` where there is one
 * @property {((event: any) => void) | null} onclose told of a `code` and a `reason`
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
 * @typedef {object} Surroundings what a test replaces
 * @property {SocketClass | null} [WebSocket] null for none; the surroundings' own unless given
 * @property {((address: string) => SocketLike) | null} [events] opens the stream as events
 * @property {() => number} [clock] ms; wall clock, because it goes on in a sleeping laptop
 * @property {Timers} [timers]
 * @property {() => number} [random] in [0, 1)
 */
/**
 * @typedef {object} Wiring
 * @property {() => string} address asked anew for each attempt
 * @property {(text: unknown) => void} onText
 * @property {(status: Status) => void} onStatus
 * @property {() => void} [onProbe] say something that will be answered
 */
/** @type {Timers} */
export declare const TIMERS: Timers;
export declare class Connection {
    #private;
    /** @type {Status} */
    status: Status;
    /** Local time in ms at which anything last arrived; null before that. @type {number | null} */
    lastHeard: number | null;
    /** @param {Wiring & Surroundings} options */
    constructor({ address, onText, onStatus, onProbe, WebSocket, events, clock, timers, random }: Wiring & Surroundings);
    /** Open now, unless it is open or on its way already; also ends a wait and a stop. */
    open(): void;
    /** Close for good; `open()` starts anew. */
    close(): void;
    /** Send text if it can be sent now; nothing is ever queued up. @param {string} text */
    send(text: string): boolean;
    /** The address is another one now: where nothing can be said, connect anew. */
    readdress(): void;
    /**
     * The network or the visitor is back: do not sit out a wait, do not trust an old connection.
     * A gateway that said "too many" is left in peace all the same.
     */
    hurry(): void;
    /** The gateway is leaving: come back after a delay in this window of ms. @param {[number, number]} window */
    expectGoodbye(window: [number, number]): void;
}
