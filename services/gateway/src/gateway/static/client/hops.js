/**
 * Where the time went between the hug and the picture.
 *
 * Pure: times come in as arguments, all of them in ms since 1970 on the gateway's clock.  The
 * pillow's and the poller's stamps are taken as they are: their clocks are not measured here.
 */

import { instant } from "./store.js";

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
export const PLAUSIBLE_MS = 60_000;

/** What the queue's clock leaves out: Azure tells the insertion time in whole seconds. */
const SECOND = 1000;

/**
 * The way of a state from the pillow to here; null when it cannot be known.
 *
 * @param {Pillow} pillow
 * @param {{forwarded: number | null, shown: number}} here when the gateway sent it, null when that is
 *   not known, and when it was shown
 * @returns {Journey | null}
 */
export function journey(pillow, { forwarded, shown }) {
  const { queued: told, polled, published } = pillow.hops ?? {};
  if (told === undefined || !Number.isFinite(told)) return null;
  const felt = instant(pillow.at);
  const isWhole = told % SECOND === 0;
  // A state is felt before it is queued: within that second, the pillow's own time is the better one,
  // and includes the way to the queue. Of a pillow that told no time, `at` is the queue's again.
  const isNarrowed = isWhole && felt > told && felt < told + SECOND && felt <= (polled ?? shown);
  const queued = isNarrowed ? felt : told;
  const ms = shown - queued;
  if (!(ms >= 0) || ms > PLAUSIBLE_MS) return null;
  /** @type {[Hop, number | null | undefined][]} */
  const stamps = [
    ["felt", felt < queued && queued - felt <= PLAUSIBLE_MS ? felt : undefined],
    ["queued", queued],
    ["polled", polled],
    ["published", published],
    ["forwarded", forwarded],
    ["shown", shown],
  ];
  return { legs: legsOf(stamps), ms, atMost: isWhole && !isNarrowed };
}

/**
 * The lengths between stamps. Clocks differ by a little: a stamp never lies before the one before it.
 *
 * @param {[Hop, number | null | undefined][]} stamps
 */
function legsOf(stamps) {
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
 * The value below which a share of the values lies; NaN of none.
 *
 * @param {number[]} values
 * @param {number} share in 0..1
 */
export function quantile(values, share) {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
