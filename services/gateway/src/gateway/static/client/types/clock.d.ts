/**
 * The gateway's time, seen from here: a visitor's clock may be minutes wrong, ages must not be.
 *
 * Pure: the local time comes in as an argument, in ms since 1970.
 */
/** A measurement older than this gives way to a newer one, even a worse one: clocks drift. */
export declare const TRUSTED_FOR_MS = 300000;
export declare class ServerClock {
    #private;
    /** Forget everything. */
    reset(): void;
    /**
     * A frame said when it was sent.  It was under way for some time, so the true offset is at
     * least this; the largest seen is the nearest, until a ping has measured it.
     *
     * @param {number} sent gateway time
     * @param {number} now local time
     */
    heard(sent: number, now: number): void;
    /**
     * A pong came back: the gateway had it halfway between sending and now.
     *
     * @param {{sent: number, received: number}} pong
     * @param {number} now local time
     */
    measured({ sent, received }: {
        sent: number;
        received: number;
    }, now: number): void;
    /** Shortest time to the gateway and back, in ms, or null before it was measured. */
    get roundTripMs(): number | null;
    /** By how many ms the gateway's clock is ahead of this one; null while nothing is known. */
    get offsetMs(): number | null;
    /**
     * The gateway's time in ms at local time `now`; local time itself while nothing is known.
     *
     * @param {number} now
     */
    at(now: number): number;
}
