/**
 * Where the time between the queue and the picture of a state was spent.
 *
 * Pure: times are arguments in ms since 1970. The hops are in the queue's time, and those of the gateway
 * and of the screen are converted into it. The pillow's clock is not measured, so the time before the
 * queue is not reported.
 */
export type Pillow = import("./frames.js").Pillow;
export type Hop = "queued" | "polled" | "published" | "forwarded" | "shown";
export type Leg = {
    from: Hop;
    to: Hop;
    ms: number;
};
export type Journey = {
    /**
     * in order; a hop without a timestamp is left out
     */
    legs: Leg[];
    /**
     * from the queue to the screen
     */
    ms: number;
    /**
     * whether `ms` may be up to one second too long, because the queue's
     * timestamp is a whole second and nothing narrows it
     */
    atMost: boolean;
};
/** @typedef {import("./frames.js").Pillow} Pillow */
/**
 * A stage that a state passes: `queued` in Azure, `polled` and `published` by the poller, `forwarded` by
 * the gateway, `shown` on the screen.
 *
 * @typedef {"queued" | "polled" | "published" | "forwarded" | "shown"} Hop
 */
/**
 * The time between two hops.
 *
 * @typedef {object} Leg
 * @property {Hop} from
 * @property {Hop} to
 * @property {number} ms
 */
/**
 * The latency of one state.
 *
 * @typedef {object} Journey
 * @property {Leg[]} legs in order; a hop without a timestamp is left out
 * @property {number} ms from the queue to the screen
 * @property {boolean} atMost whether `ms` may be up to one second too long, because the queue's
 *   timestamp is a whole second and nothing narrows it
 */
/** A latency above this is an error of some clock and not reported. */
export declare const MAX_PLAUSIBLE_MS = 60000;
export type Display = {
    /**
     * when the gateway sent it; null if unknown
     */
    forwarded: number | null;
    /**
     * when it was shown
     */
    shown: number;
    /**
     * the queue's clock minus the gateway's; null if unknown
     */
    queueOffsetMs: number | null;
};
/**
 * When a state was sent and shown, in the gateway's time, and how to convert that.
 *
 * @typedef {object} Display
 * @property {number | null} forwarded when the gateway sent it; null if unknown
 * @property {number} shown when it was shown
 * @property {number | null} queueOffsetMs the queue's clock minus the gateway's; null if unknown
 */
/**
 * The latency of a state from the queue to the screen.
 *
 * @param {Pillow} pillow
 * @param {Display} display
 * @returns {Journey | null} null without a timestamp of the queue or without `queueOffsetMs`, or if it is
 *   not plausible
 */
export declare function journey(pillow: Pillow, display: Display): Journey | null;
/**
 * A quantile by the nearest rank; NaN of an empty list.
 *
 * @param {number[]} values
 * @param {number} share in 0..1; 0.5 for the median
 */
export declare function quantile(values: number[], share: number): number;
