/**
 * Estimates the gateway's clock, because a visitor's clock may be minutes wrong and ages must not be.
 *
 * Pure: times are arguments. Local times come from a monotonic clock, because a person or NTP may set
 * the wall clock at any moment.
 */
/** A newer measurement replaces one that is older than this, even a better one: clocks drift. */
export declare const MEASUREMENT_VALID_MS = 300000;
/** A contradiction larger than this is no error of a measurement: one of the clocks was set, or stood still. */
export declare const MIN_JUMP_MS = 1000;
export declare class ServerClock {
    #private;
    /** Discard the estimate. */
    reset(): void;
    /** Discard the measurement; its offset is used until the next pong. @param {number} now local time */
    distrust(now: number): void;
    /**
     * Use the send time of a frame. The frame has travelled for an unknown time, so the true offset is
     * at least the difference: until a ping measures it, the largest difference is the best estimate.
     *
     * @param {number} sent gateway time
     * @param {number} now local time
     * @returns {boolean} whether the measurement cannot be right any more, so that a ping is due
     */
    observe(sent: number, now: number): boolean;
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
    /** The gateway's clock minus the local monotonic clock in ms; null without an estimate. */
    get offsetMs(): number | null;
}
/**
 * Detects that the wall clock was set, or that the machine slept while the monotonic clock stood still:
 * the two clocks then differ by another amount than before.
 */
export declare class JumpDetector {
    #private;
    /**
     * @param {number} wall
     * @param {number} monotonic
     * @returns {number} by how many ms the wall clock jumped since the last check; 0 for none
     */
    check(wall: number, monotonic: number): number;
}
