/**
 * The gateway's stream as Server-Sent Events, with the interface of a WebSocket.
 *
 * For networks that block WebSockets, and for Node.js before 22, which has none. It uses `fetch`,
 * because `EventSource` hides why it was refused and reconnects by itself.
 */
/** Splits a stream of text into the data of its events. */
export declare class SseParser {
    #private;
    /**
     * @param {string} text the next chunk; chunks may end anywhere
     * @returns {string[]} the data of each event that is complete now
     */
    push(text: string): string[];
}
/** One stream, from its request to its end. */
export declare class SseSocket {
    #private;
    /** @type {(() => void) | null} */
    onopen: (() => void) | null;
    /** @type {((event: {data: unknown}) => void) | null} */
    onmessage: ((event: {
        data: unknown;
    }) => void) | null;
    /** @type {(() => void) | null} */
    onerror: (() => void) | null;
    /** @type {((event: {code: number, reason: string, retryMs: number | undefined}) => void) | null} */
    onclose: ((event: {
        code: number;
        reason: string;
        retryMs: number | undefined;
    }) => void) | null;
    /**
     * @param {string} address the WebSocket URL; the SSE endpoint is in the same folder
     * @param {typeof fetch} request
     * @param {() => Promise<string>} [token] returns the token, or "" without one
     */
    constructor(address: string, request: typeof fetch, token?: () => Promise<string>);
    /** Do nothing: the client cannot send over SSE. @param {string} _text */
    send(_text: string): void;
    close(): void;
}
