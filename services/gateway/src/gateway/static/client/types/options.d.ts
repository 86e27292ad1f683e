/** The options of a client, and their validation. */
export type Options = {
    /**
     * the gateway, as `https://host/`; by default the one that served this
     * module or this page
     */
    url?: string | URL;
    /**
     * ids of the pillows to subscribe to; all by default
     */
    pillows?: string[] | "all";
    /**
     * the `cursor` of an earlier client of the same gateway and
     * pillows: receive only what changed after it, if the gateway still knows
     */
    cursor?: string | null;
    /**
     * closes the client when it is aborted
     */
    signal?: AbortSignal;
    /**
     * listener for `change`
     */
    onChange?: (event: import("./client_events.js").ChangeEvent) => void;
    /**
     * listener for
     * `connection`
     */
    onConnection?: (event: import("./client_events.js").ConnectionEvent) => void;
};
export type Injected = {
    /**
     * for the SSE stream
     */
    fetch?: typeof fetch;
    /**
     * targets of the events `online` and
     * `visibilitychange`
     */
    page?: import("./wake_events.js").PageTargets;
};
/**
 * @typedef {object} Options
 * @property {string | URL} [url] the gateway, as `https://host/`; by default the one that served this
 *   module or this page
 * @property {string[] | "all"} [pillows] ids of the pillows to subscribe to; all by default
 * @property {string | null} [cursor] the `cursor` of an earlier client of the same gateway and
 *   pillows: receive only what changed after it, if the gateway still knows
 * @property {AbortSignal} [signal] closes the client when it is aborted
 * @property {(event: import("./client_events.js").ChangeEvent) => void} [onChange] listener for `change`
 * @property {(event: import("./client_events.js").ConnectionEvent) => void} [onConnection] listener for
 *   `connection`
 */
/**
 * Dependencies that a test or an unusual environment replaces, beside those of the connection.
 *
 * @typedef {object} Injected
 * @property {typeof fetch} [fetch] for the SSE stream
 * @property {import("./wake_events.js").PageTargets} [page] targets of the events `online` and
 *   `visibilitychange`
 */
/**
 * Check the option `pillows`. An empty list is an error, because to the gateway it would mean all.
 *
 * @param {string[] | "all"} pillows
 * @throws {TypeError} if it is not "all" or a list of at least one valid id
 */
export declare function checkPillows(pillows: string[] | "all"): "all" | string[];
/**
 * Check the option `cursor`.
 *
 * @param {string | null} cursor
 * @throws {TypeError} if it is neither a text nor null
 */
export declare function checkCursor(cursor: string | null): string | null;
