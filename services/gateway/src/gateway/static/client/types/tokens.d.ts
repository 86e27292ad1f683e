/**
 * The token of a client: where it comes from, and when it is renewed. It is sent in a message or a
 * header, never in an address, because addresses are logged.
 */
export type Token = string | (() => string | Promise<string>);
/** @typedef {string | (() => string | Promise<string>)} Token */
/**
 * The content of a JSON Web Token, which is not checked; empty if it is none. Only `exp` and ids are
 * read, so other characters than those of ASCII may be wrong.
 *
 * @param {string} token
 * @returns {{exp?: unknown, pillows?: unknown}}
 */
export declare function claimsOf(token: string): {
    exp?: unknown;
    pillows?: unknown;
};
/**
 * How long a token may be used before another is asked for; null for one without an end.
 *
 * @param {string} token
 * @param {number} now wall clock in ms
 */
export declare function renewalDelay(token: string, now: number): number | null;
/** Sends the token when a WebSocket opens, and a new one before that expires. */
export declare class Tokens {
    #private;
    /**
     * @param {Token | undefined} token
     * @param {{timers: import("./sockets.js").Timers, clock: () => number}} time
     * @param {{send: (token: string) => void, onFault: (reason: string) => void}} callbacks
     */
    constructor(token: Token | undefined, { timers, clock }: {
        timers: import("./sockets.js").Timers;
        clock: () => number;
    }, callbacks: {
        send: (token: string) => void;
        onFault: (reason: string) => void;
    });
    /** Whether another token can be had when one has expired. */
    get isRenewable(): boolean;
    /** The token now; "" without one. @returns {Promise<string>} */
    current(): Promise<string>;
    /** A WebSocket is open: send the token first. */
    start(): Promise<void>;
    /** The connection is closed. */
    stop(): void;
}
