/**
 * Where the time went between the hug and the picture.
 *
 * Pure: times come in as arguments, all of them in ms since 1970 on the gateway's clock.  The
 * pillow's and the poller's stamps are taken as they are: their clocks are not measured here.
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
     * in order; legs between hops that nobody stamped are joined
     */
    legs: Leg[];
    /**
     * from the queue to the screen
     */
    ms: number;
    /**
     * the queue told whole seconds only, and nothing narrows it: `ms` is
     * up to one second too long
     */
    atMost: boolean;
};
/** @typedef {import("./frames.js").Pillow} Pillow */
/** @typedef {"felt" | "queued" | "polled" | "published" | "forwarded" | "shown"} Hop */
/**
 * One leg of the way.
 *
 * @typedef {object} Leg
 * @property {Hop} from
 * @property {Hop} to
 * @property {number} ms
 */
/**
 * The way of one state.
 *
 * @typedef {object} Journey
 * @property {Leg[]} legs in order; legs between hops that nobody stamped are joined
 * @property {number} ms from the queue to the screen
 * @property {boolean} atMost the queue told whole seconds only, and nothing narrows it: `ms` is
 *   up to one second too long
 */
/** A delay above this says more about someone's clock than about the way taken. */
export declare const PLAUSIBLE_MS = 60000;
/**
 * The way of a state from the pillow to here; null when it cannot be known.
 *
 * @param {Pillow} pillow
 * @param {{forwarded: number | null, shown: number}} here when the gateway sent it, null when that is
 *   not known, and when it was shown
 * @returns {Journey | null}
 */
export declare function journey(pillow: Pillow, { forwarded, shown }: {
    forwarded: number | null;
    shown: number;
}): Journey | null;
/**
 * The value below which a share of the values lies; NaN of none.
 *
 * @param {number[]} values
 * @param {number} share in 0..1
 */
export declare function quantile(values: number[], share: number): number;
