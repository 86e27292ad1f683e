/**
 * Which pillows a client subscribes to, and whether its cursor is valid for them. Pure.
 *
 * A cursor is valid only for the pillows that were requested when the gateway gave it. One request is
 * under way at a time, so that it is known which of them a snapshot answers.
 */
export type Pillows = string[] | "all";
/** @typedef {string[] | "all"} Pillows */
/** Some servers refuse a query of more than 2,048 characters: longer lists are sent as a message. */
export declare const MAX_QUERY_CHARS = 2000;
/** The message that subscribes to these pillows. @param {Pillows} pillows */
export declare function subscribeFrame(pillows: Pillows): string;
export declare class Subscription {
    #private;
    /** The pillows that the client wants. @type {Pillows} */
    pillows: Pillows;
    /**
     * @param {Pillows} pillows
     * @param {boolean} hasCursor whether the client starts with a cursor for these pillows
     */
    constructor(pillows: Pillows, hasCursor: boolean);
    /** The pillows of the newest request of this connection; null before the first. */
    get requested(): Pillows | null;
    /** Whether the newest request was answered. */
    get isAnswered(): boolean;
    /** Whether a request for other pillows has to be sent, and may be: the last one was answered. */
    get isRequestDue(): boolean;
    /**
     * Add the subscription to the URL of a new connection, which is its first request.
     *
     * @param {URLSearchParams} query
     * @param {string | null} cursor
     * @param {{isComplete: boolean}} how whether the URL has to name all pillows, however long it becomes
     */
    requestByUrl(query: URLSearchParams, cursor: string | null, { isComplete }: {
        isComplete: boolean;
    }): void;
    /** The request for these pillows was sent. */
    sent(): void;
    /**
     * A snapshot arrived: it answers the request, and its cursor is valid for those pillows.
     *
     * @param {boolean} hasMore whether the snapshot continues
     * @returns {boolean} whether the client has all that it wants then
     */
    answered(hasMore: boolean): boolean;
}
