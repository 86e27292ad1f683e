/**
 * The gateway's stream as Server-Sent Events, with a WebSocket's face.
 *
 * For networks that let no WebSocket through, and for Node.js before 22, which has none.  It is
 * read with `fetch`, because `EventSource` hides why it was refused and cannot be told to stop.
 */
/** Splits a stream of text into the data of its events; pure but for what it has kept. */
export declare class EventParser {
    #private;
    /**
     * @param {string} text the next piece, cut anywhere
     * @returns {string[]} the data of each event that is whole now
     */
    push(text: string): string[];
}
/** One stream, from its request to its end. */
export declare class EventStream {
    #private;
    /** @type {(() => void) | null} */
    onopen: (() => void) | null;
    /** @type {((event: {data: unknown}) => void) | null} */
    onmessage: ((event: {
        data: unknown;
    }) => void) | null;
    /** @type {(() => void) | null} */
    onerror: (() => void) | null;
    /** @type {((event: {code: number, reason: string}) => void) | null} */
    onclose: ((event: {
        code: number;
        reason: string;
    }) => void) | null;
    /**
     * @param {string} address of the WebSocket; the events are beside it
     * @param {typeof fetch} get
     */
    constructor(address: string, get: typeof fetch);
    /** Events go one way. @param {string} _text */
    send(_text: string): void;
    close(): void;
}
