/**
 * Where the time between the queue and the picture of a state was spent.
 *
 * Pure: times are arguments in ms since 1970. The hops are in the queue's time, and those of the gateway
 * and of the screen are converted into it. The pillow's clock is not measured, so the time before the
 * queue is not reported.
 */

import { instant } from "./store.js";

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
export const MAX_PLAUSIBLE_MS = 60_000;

/** Resolution of the queue's clock: Azure gives the insertion time in whole seconds. */
const QUEUE_RESOLUTION_MS = 1000;

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
export function journey(pillow, display) {
  const { queued: stamp, polled, published } = pillow.hops ?? {};
  const { queueOffsetMs } = display;
  // Clocks of two machines are compared only if their difference is known.
  if (stamp === undefined || !Number.isFinite(stamp) || queueOffsetMs == null) return null;
  const shown = display.shown + queueOffsetMs;
  const forwarded = display.forwarded === null ? null : display.forwarded + queueOffsetMs;
  const felt = instant(pillow.at);
  const isWholeSecond = stamp % QUEUE_RESOLUTION_MS === 0;
  // A pillow feels a state before it is queued: if its own timestamp lies within the queue's second, it
  // is used in place of the whole second. If the pillow sent none, `at` is the queue's.
  const isNarrowed = isWholeSecond && felt > stamp && felt < stamp + QUEUE_RESOLUTION_MS && felt <= (polled ?? shown);
  const queued = isNarrowed ? felt : stamp;
  const ms = shown - queued;
  if (!(ms >= 0) || ms > MAX_PLAUSIBLE_MS) return null;
  /** @type {[Hop, number | null | undefined][]} */
  const stamps = [
    ["queued", queued],
    ["polled", polled],
    ["published", published],
    ["forwarded", forwarded],
    ["shown", shown],
  ];
  return { legs: legsBetween(stamps), ms, atMost: isWholeSecond && !isNarrowed };
}

/**
 * The times between timestamps. Clocks differ slightly, so a timestamp before its predecessor counts
 * as equal to it.
 *
 * @param {[Hop, number | null | undefined][]} stamps
 */
function legsBetween(stamps) {
  /** @type {Leg[]} */
  const legs = [];
  /** @type {Hop | null} */
  let from = null;
  let reached = -Infinity;
  for (const [hop, stamp] of stamps) {
    if (stamp == null || !Number.isFinite(stamp)) continue;
    const at = Math.max(stamp, reached);
    if (from !== null) legs.push({ from, to: hop, ms: at - reached });
    from = hop;
    reached = at;
  }
  return legs;
}

/**
 * A quantile by the nearest rank; NaN of an empty list.
 *
 * @param {number[]} values
 * @param {number} share in 0..1; 0.5 for the median
 */
export function quantile(values, share) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
