/**
 * The newest state of each pillow, and when the pillow last gave a sign of life.
 *
 * Pure: times are arguments, `sent` on the gateway's clock in ms since 1970, `now` on the local
 * monotonic clock.
 */
export type Frame = import("./frames.js").Frame;
export type Pillow = import("./frames.js").Pillow;
export type Update = {
    id: string;
    /**
     * null if the pillow was removed
     */
    pillow: Pillow | null;
    /**
     * the state before; undefined if none was known
     */
    previous: Pillow | undefined;
    /**
     * from which to resume once this update was handled; null within a
     * first snapshot, which must be received again as a whole
     */
    cursor: string | null;
};
export type Sign = {
    /**
     * gateway time at which its state was true: its `at`, but not later than the
     * send time of its frame, because the clock of a pillow may be ahead
     */
    asOf: number;
    /**
     * gateway time at which it was alive at the latest known
     */
    aliveAt: number;
    /**
     * local time at which the state arrived; null if a snapshot brought it
     */
    receivedAt: number | null;
};
/**
 * Milliseconds since 1970 of an RFC 3339 time, with finer digits as a fraction; NaN for any other text.
 *
 * @param {string | undefined} text
 * @returns {number}
 */
export declare function instant(text: string | undefined): number;
/**
 * Whether `pillow` is strictly older than `known`, by `at` and then `seq`.
 *
 * @param {Pillow} pillow
 * @param {Pillow} known
 */
export declare function isOlder(pillow: Pillow, known: Pillow): boolean;
/** The newest state of each pillow. */
export declare class Store {
    #private;
    /** The gateway's own objects by id. @type {Map<string, Pillow>} */
    pillows: Map<string, Pillow>;
    /** Position in the gateway's stream; null before the first snapshot. @type {string | null} */
    cursor: string | null;
    /** Whether the gateway is connected to its broker; null before the first snapshot. @type {import("./frames.js").Broker | null} */
    broker: import("./frames.js").Broker | null;
    /** Whether the broker delivers the states that it retains, so that a snapshot has all pillows. */
    retained: boolean;
    /** How many clients the gateway has; null while that is not known. @type {number | null} */
    watching: number | null;
    /** @param {string | null} [cursor] of an earlier client, which knows the states up to there */
    constructor(cursor?: string | null);
    /**
     * Apply a frame.
     *
     * @param {Frame} frame
     * @param {number} [now] local time
     * @param {boolean} [isLast] whether a snapshot is the last piece of all that the client waits for
     * @returns {Update[]} every new state, in order; a pillow may occur twice
     */
    apply(frame: Frame, now?: number, isLast?: boolean): Update[];
    /** Whether pieces of a snapshot are still to come. */
    get isLoading(): boolean;
    /** Whether the known state of a pillow waits for a piece of the snapshot that names or removes it. @param {string} id */
    isUnconfirmed(id: string): boolean;
    /** When a pillow gave its newest sign of life; undefined of an unknown one. @param {string} id */
    sign(id: string): Sign | undefined;
}
export type Arrival = {
    sent: number;
    receivedAt: number | null;
    queueOffset?: number | null;
};
