/**
 * Estimates the gateway's clock, because a visitor's clock may be minutes wrong and ages must not be.
 *
 * Pure: the local time is an argument, in ms since 1970.
 */
/** A newer measurement replaces one that is older than this, even a better one: clocks drift. */
export declare const MEASUREMENT_VALID_MS = 300000;
export declare class ServerClock {
    #private;
    /** Discard the estimate. */
    reset(): void;
    /**
     * Use the send time of a frame. The frame has travelled for an unknown time, so the true offset is
     * at least the difference: until a ping measures it, the largest difference is the best estimate.
     *
     * @param {number} sent gateway time
     * @param {number} now local time
     */
    observe(sent: number, now: number): void;
    /**
     * Use a pong. The gateway's receive time lies halfway between the local send time and now.
     *
     * @param {{sent: number, received: number}} pong
     * @param {number} now local time
     */
    observePong({ sent, received }: {
        sent: number;
        received: number;
    }, now: number): void;
    /** Shortest measured round trip in ms; null before the first pong. */
    get roundTripMs(): number | null;
    /** The gateway's clock minus the local clock in ms; null without an estimate. */
    get offsetMs(): number | null;
    /**
     * The gateway's time in ms at local time `now`; local time without an estimate.
     *
     * @param {number} now
     */
    at(now: number): number;
}
