/**
 * Which pillows a client subscribes to, and whether its cursor is valid for them. Pure.
 *
 * A cursor is valid only for the pillows that were requested when the gateway gave it. So the
 * requests of a connection are kept in order until the snapshot that answers each arrives.
 */
export type Pillows = string[] | "all";
/** @typedef {string[] | "all"} Pillows */
export declare class Subscription {
    #private;
    /**
     * @param {Pillows} pillows
     * @param {boolean} hasCursor whether the client starts with a cursor for these pillows
     */
    constructor(pillows: Pillows, hasCursor: boolean);
    /** The pillows that the client wants. @param {Pillows} pillows */
    set pillows(pillows: Pillows);
    get pillows(): Pillows;
    /** Whether the newest request of this connection was for other pillows than the client wants. */
    get isOutdated(): boolean;
    /**
     * Add the subscription to the URL of a new connection, which is its first request.
     *
     * @param {URLSearchParams} query
     * @param {string | null} cursor
     */
    requestByUrl(query: URLSearchParams, cursor: string | null): void;
    /** The request for these pillows was sent. */
    requested(): void;
    /** A snapshot arrived: it answers the oldest request, and its cursor is valid for those pillows. */
    answered(): void;
}
