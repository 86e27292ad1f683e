/** The options of a client, and their validation. */
/** The gateway takes this many pillows in one subscription; for more there is `all`. */
export declare const MAX_PILLOWS = 1000;
export type Options = {
    /**
     * the gateway, as `https://host/`; by
     * default the one that served this module or this page; a function is called for each connection
     */
    url?: string | URL | import("./url_function.js").UrlFunction;
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
     * a JSON Web Token or a share link's, for a gateway that
     * asks for one; a function is called for each connection, and again before the token expires
     */
    token?: import("./tokens.js").Token;
    /**
     * false: a connection of its own, which no other client shares; true by default
     */
    share?: boolean;
    /**
     * closes the client when it is aborted
     */
    signal?: AbortSignal;
    /**
     * a page that was hidden
     * for this long closes its connection and resumes when it is visible; null: it stays connected; five minutes
     * by default, and 10 s over Server-Sent Events, because a browser makes six connections to a host by HTTP/1.1;
     * a function is called when the page is hidden, and returns undefined for the default
     */
    hiddenTimeoutMs?: number | null | (() => number | null | undefined);
    /**
     * whether `shown()` may report to a gateway that asks for it; false by default
     */
    reportShown?: boolean;
    /**
     * `none`: states without `motion`, of which `subscribeMotion` asks for that
     * of some pillows; over Server-Sent Events, where it cannot ask, states have it; all by default
     */
    motion?: "all" | "none";
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
     * targets of the events `online`,
     * `visibilitychange`, `freeze` and `resume`
     */
    page?: import("./page_lifecycle.js").PageTargets;
};
export type AllOptions = Options & Injected & import("./connection.js").Surroundings;
/**
 * @typedef {object} Options
 * @property {string | URL | import("./url_function.js").UrlFunction} [url] the gateway, as `https://host/`; by
 *   default the one that served this module or this page; a function is called for each connection
 * @property {string[] | "all"} [pillows] ids of the pillows to subscribe to; all by default
 * @property {string | null} [cursor] the `cursor` of an earlier client of the same gateway and
 *   pillows: receive only what changed after it, if the gateway still knows
 * @property {import("./tokens.js").Token} [token] a JSON Web Token or a share link's, for a gateway that
 *   asks for one; a function is called for each connection, and again before the token expires
 * @property {boolean} [share] false: a connection of its own, which no other client shares; true by default
 * @property {AbortSignal} [signal] closes the client when it is aborted
 * @property {number | null | (() => number | null | undefined)} [hiddenTimeoutMs] a page that was hidden
 *   for this long closes its connection and resumes when it is visible; null: it stays connected; five minutes
 *   by default, and 10 s over Server-Sent Events, because a browser makes six connections to a host by HTTP/1.1;
 *   a function is called when the page is hidden, and returns undefined for the default
 * @property {boolean} [reportShown] whether `shown()` may report to a gateway that asks for it; false by default
 * @property {"all" | "none"} [motion] `none`: states without `motion`, of which `subscribeMotion` asks for that
 *   of some pillows; over Server-Sent Events, where it cannot ask, states have it; all by default
 * @property {(event: import("./client_events.js").ChangeEvent) => void} [onChange] listener for `change`
 * @property {(event: import("./client_events.js").ConnectionEvent) => void} [onConnection] listener for
 *   `connection`
 */
/**
 * Dependencies that a test or an unusual environment replaces, beside those of the connection.
 *
 * @typedef {object} Injected
 * @property {typeof fetch} [fetch] for the SSE stream
 * @property {import("./page_lifecycle.js").PageTargets} [page] targets of the events `online`,
 *   `visibilitychange`, `freeze` and `resume`
 */
/** @typedef {Options & Injected & import("./connection.js").Surroundings} AllOptions */
/**
 * Check the option `pillows`. An empty list is an error, because to the gateway it would mean all.
 *
 * @param {string[] | "all"} pillows
 * @throws {TypeError} if it is not "all" or a list of 1 to 1,000 valid ids
 */
export declare function checkPillows(pillows: string[] | "all"): "all" | string[];
/**
 * The pillows if one subscription may name them, otherwise "all": a page must not lose all of its clouds
 * for one too many.
 *
 * @param {string[]} pillows valid ids
 */
export declare function nameable(pillows: string[]): "all" | string[];
export type Check = (value: any) => boolean;
/**
 * Check the ids whose motion is wanted; there may be none.
 *
 * @param {string[]} pillows
 * @throws {TypeError} if it is no list of at most 256 valid ids
 */
export declare function checkMotion(pillows: string[]): string[];
/**
 * Check all options: their names, and their values except for the text of `url`. An option that is undefined
 * has its default.
 *
 * @template {object} T
 * @param {T} options
 * @returns {T}
 * @throws {TypeError} if one is unknown or invalid; the message names it, its value and what was meant
 */
export declare function checkOptions<T extends object>(options: T): T;
