/**
 * Where the time between a pillow's movement and its picture was spent.
 *
 * Pure: times are arguments in ms since 1970 on the gateway's clock. The timestamps of the pillow
 * and of the poller are used as they are, because nothing here measures their clocks.
 */
export type Pillow = import("./frames.js").Pillow;
export type Hop = "felt" | "queued" | "polled" | "published" | "forwarded" | "shown";
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
 * A stage that a state passes: `felt` by the pillow, `queued` in Azure, `polled` and `published` by
 * the poller, `forwarded` by the gateway, `shown` on the screen.
 *
 * @typedef {"felt" | "queued" | "polled" | "published" | "forwarded" | "shown"} Hop
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
/**
 * The latency of a state from the pillow to the screen.
 *
 * @param {Pillow} pillow
 * @param {{forwarded: number | null, shown: number}} here when the gateway sent the state (null if
 *   unknown) and when it was shown
 * @returns {Journey | null} null without a timestamp of the queue, or if it is not plausible
 */
export declare function journey(pillow: Pillow, { forwarded, shown }: {
    forwarded: number | null;
    shown: number;
}): Journey | null;
/**
 * A quantile by the nearest rank; NaN of an empty list.
 *
 * @param {number[]} values
 * @param {number} share in 0..1; 0.5 for the median
 */
export declare function quantile(values: number[], share: number): number;
