/**
 * The clocks of a client: the monotonic one for durations, the wall clock for times that are shown, and
 * the estimate of the gateway's.
 */
/** The wall clock is compared with the monotonic one this often while it is connected. */
export declare const CHECK_INTERVAL_MS = 5000;
/** A frame that seems to be older than this shows that the gateway's clock may have been set back. */
export declare const SUSPECT_DELAY_MS = 10000;
export type Stamped = {
    sent: number;
};
/** @typedef {{sent: number}} Stamped */
export declare class Timekeeper {
    #private;
    /** Queue time minus the gateway's; null if the gateway does not know it. @type {number | null} */
    queueOffsetMs: number | null;
    /**
     * @param {Pick<import("./connection.js").Surroundings, "clock" | "monotonic" | "timers">} clocks
     * @param {{ping: () => void, onJump: (ms: number) => void}} callbacks `onJump`: the wall clock was set,
     *   or the machine slept
     */
    constructor({ clock, monotonic, timers }: Pick<import("./connection.js").Surroundings, "clock" | "monotonic" | "timers">, { ping, onJump }: {
        ping: () => void;
        onJump: (ms: number) => void;
    });
    /** Monotonic time in ms. */
    monotonic(): number;
    /** The wall clock's time in ms of an instant of the monotonic clock. @param {number} instant */
    wallTimeOf(instant: number): number;
    /** The gateway's time in ms since 1970; the wall clock's without an estimate. */
    now(): number;
    /** The gateway's clock minus the wall clock in ms; null without an estimate. */
    get clockOffsetMs(): number | null;
    /** Shortest measured round trip in ms; null before the first pong. */
    get roundTripMs(): number | null;
    /** A new connection may lead to another machine, with another clock: measure anew. */
    start(): void;
    stop(): void;
    /**
     * Use the times of a frame.
     *
     * @param {import("./frames.js").Frame} frame
     * @param {number} now monotonic time of its arrival
     */
    observe(frame: import("./frames.js").Frame, now: number): void;
    /** The time to send in a ping, which its pong returns. */
    pingTime(): number;
}
