/**
 * Decides when the next attempt to connect is made, and by which transport. Pure: random numbers
 * are arguments.
 */
/** Close code of a gateway that received too many requests from this client. */
export declare const TOO_MANY_REQUESTS = 4429;
/** Close code of a gateway that needs a token, or another one. */
export declare const UNAUTHORIZED = 4401;
/** Close code of a gateway that does not allow this page, or a pillow that it asks for. */
export declare const FORBIDDEN = 4403;
/** Minimum delay in ms after TOO_MANY_REQUESTS. */
export declare const TOO_MANY_DELAY_MS = 30000;
export declare class RetryPolicy {
    #private;
    /** Whether the current attempt brought a message. */
    get hasReceived(): boolean;
    /** Whether the next attempt should use SSE even if there is a WebSocket. */
    get prefersSse(): boolean;
    /** Whether a close code forbids another attempt. @param {number} code */
    isTerminal(code: number): boolean;
    /**
     * Use SSE from now on, because the gateway does not allow a WebSocket of its own page: a proxy names
     * another host, and not every browser says of a WebSocket that it is of the same origin.
     *
     * @param {"websocket" | "events"} transport that was refused
     * @returns {boolean} false if SSE was refused as well
     */
    turnToSse(transport: "websocket" | "events"): boolean;
    startAttempt(): void;
    /** @param {"websocket" | "events"} transport by which a message was received */
    messageReceived(transport: "websocket" | "events"): void;
    /** The connection is stable, or was closed on purpose: count failed attempts from 0. */
    resetAttempts(): void;
    /** Draw the next delay from this window in ms, which the gateway sent. @param {[number, number]} window */
    setReconnectWindow(window: [number, number]): void;
    /**
     * Count the current attempt as failed.
     *
     * @param {number | null} code close code; null without one
     * @param {number} random a number in [0, 1)
     * @param {number | undefined} [askedMs] what the server asks to wait; anything that is no time counts as none
     * @returns {number} delay in ms before the next attempt
     */
    fail(code: number | null, random: number, askedMs?: number | undefined): number;
}
