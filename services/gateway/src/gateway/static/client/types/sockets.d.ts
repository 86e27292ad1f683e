/** Opens the gateway's stream as a WebSocket or as Server-Sent Events. */
export declare const SUBPROTOCOL = "pillowcast.v1";
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
     * receives an event with `code`, `reason` and perhaps `retryMs`
     */
    onclose: ((event: any) => void) | null;
    /**
     * 1 while it is open; another number while it is opening or closing, or is closed
     */
    readyState?: number;
    send: (text: string) => void;
    close: () => void;
};
export type Transport = "websocket" | "events";
export type SocketClass = new (address: string, protocols: string[]) => SocketLike;
export type OpenEvents = (address: string) => SocketLike;
export type Timers = {
    setTimeout: (callback: () => void, ms: number) => any;
    clearTimeout: (timer: any) => void;
};
/**
 * The common interface of a WebSocket and an event stream. The events are loosely typed, so that the
 * classes of a browser, of Node.js and of the package `ws` are all assignable.
 *
 * @typedef {object} SocketLike
 * @property {((event?: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage receives an event with `data`
 * @property {((event?: any) => void) | null} onerror receives an event that may have a `message`
 * @property {((event: any) => void) | null} onclose receives an event with `code`, `reason` and perhaps `retryMs`
 * @property {number} [readyState] 1 while it is open; another number while it is opening or closing, or is closed
 * @property {(text: string) => void} send
 * @property {() => void} close
 */
/** @typedef {"websocket" | "events"} Transport */
/** @typedef {new (address: string, protocols: string[]) => SocketLike} SocketClass */
/** @typedef {(address: string) => SocketLike} OpenEvents */
/**
 * @typedef {object} Timers
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */
/** @type {Timers} */
export declare const TIMERS: Timers;
export declare class SocketOpener {
    #private;
    /**
     * @param {SocketClass | null | undefined} WebSocket null for none; `globalThis.WebSocket` if undefined
     * @param {OpenEvents | null} events opens the SSE stream; null for none
     */
    constructor(WebSocket: SocketClass | null | undefined, events: OpenEvents | null);
    /**
     * @param {(transport: Transport) => string} address returns the URL
     * @param {boolean} prefersSse whether SSE is used even if there is a WebSocket
     * @returns {{socket: SocketLike, transport: Transport}}
     * @throws if no transport can be opened, and another attempt would fail as well
     */
    open(address: (transport: Transport) => string, prefersSse: boolean): {
        socket: SocketLike;
        transport: Transport;
    };
}
