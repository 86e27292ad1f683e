/** What a silence of a pillow was: it slept, or nobody listened. Pure. */

import { stepAt } from "./activity.js";
import { appendSegment, SILENCE } from "./timeline.js";

/** Of a step, or what is before the first known state in it, this share is sleep if the pillow slept in all of it. */
const WHOLE_SHARE = 0.9;

/** @typedef {import("./activity.js").Step} Step */
/** @typedef {import("./timeline.js").Segment} Segment */

/**
 * What a state of the timeline is shown as: `asleep` and `unheard` beside the states of pillows.
 *
 * @param {string | undefined} state undefined if it is unknown
 * @param {number} time
 * @param {Step[]} steps
 * @param {number} [knownFrom] when the first known state began
 * @returns {import("./activity.js").Kind}
 */
export function kindAt(state, time, steps, knownFrom = Infinity) {
  if (state === "notconnected") return "asleep";
  if (state !== undefined && state !== SILENCE) return state;
  const step = stepAt(steps, time);
  if (step !== undefined && step.unheardMs > 0 && step.unheardMs >= step.asleepMs) return "unheard";
  if (state === SILENCE) return "asleep";
  if (step === undefined) return "unknown";
  // A pillow that wakes up in a step slept until then.
  const to = time < knownFrom ? Math.min(step.to, knownFrom) : step.to;
  return step.asleepMs >= WHOLE_SHARE * (to - step.from) ? "asleep" : "unknown";
}

/**
 * The pieces of a time, each with what it is shown as, in order; what no segment covers is a piece, too.
 *
 * @param {Segment[]} segments
 * @param {Step[]} steps
 * @param {import("./timeline.js").Interval} range
 * @returns {Segment[]}
 */
export function pieces(segments, steps, { from, to }) {
  /** @type {Segment[]} */
  const found = [];
  const knownFrom = segments[0]?.from;
  const addUnsure = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string | undefined} */ state) => {
    while (start < end) {
      const next = Math.min(end, stepAt(steps, start)?.to ?? nextStart(steps, start));
      appendSegment(found, start, next, kindAt(state, start, steps, knownFrom));
      start = next;
    }
  };
  let at = from;
  for (const segment of segments) {
    addUnsure(at, Math.min(segment.from, to), undefined);
    if (segment.state === SILENCE) addUnsure(segment.from, segment.to, SILENCE);
    else appendSegment(found, segment.from, segment.to, kindAt(segment.state, segment.from, steps));
    at = segment.to;
  }
  addUnsure(at, to, undefined);
  return found;
}

/** When the first step after a time begins. @param {Step[]} steps @param {number} time */
const nextStart = (steps, time) => steps.find(({ from }) => from > time)?.from ?? Infinity;
