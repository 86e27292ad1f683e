/**
 * Steps of a pillow's time, continued until now with the states that the page knows: an answer of the gateway
 * is up to some minutes old, and what one page says has to agree. Pure.
 */

import { SILENCE } from "./timeline.js";

/** @typedef {import("./activity.js").Step} Step */
/** @typedef {import("./timeline.js").Timeline} Timeline */

/**
 * @param {Step[]} steps of the gateway's answer
 * @param {number} stepMs length of a step
 * @param {number} until after it no state is known
 * @param {Timeline} timeline with the states since the answer
 * @returns {Step[]}
 */
export function continueSteps(steps, stepMs, until, timeline) {
  const last = steps.at(-1);
  if (last === undefined || until <= last.to) return steps;
  const end = Math.max(last.to, Math.min(last.from + stepMs, until));
  const continued = [...steps.slice(0, -1), addKnown({ ...last, to: end }, last.to, timeline)];
  for (let from = end; from < until; from += stepMs) {
    const empty = { from, to: Math.min(from + stepMs, until), ms: new Map(), episodes: {}, asleepMs: 0, unheardMs: 0 };
    continued.push(addKnown(empty, from, timeline));
  }
  return continued;
}

/**
 * A step with what is known of it from a time on.
 *
 * @param {Step} step
 * @param {number} since
 * @param {Timeline} timeline
 * @returns {Step}
 */
function addKnown({ from, to, ms: before, episodes: begun, asleepMs, unheardMs }, since, timeline) {
  const ms = new Map(before);
  const episodes = { ...begun };
  let unknownMs = to - since;
  for (const { state, ...segment } of timeline.segments(since, to)) {
    const duration = segment.to - segment.from;
    unknownMs -= duration;
    if (state === "notconnected" || state === SILENCE) asleepMs += duration;
    else ms.set(state, (ms.get(state) ?? 0) + duration);
  }
  for (const { state } of timeline.episodes(since, to)) episodes[state] = (episodes[state] ?? 0) + 1;
  return { from, to, ms, episodes, asleepMs, unheardMs: unheardMs + unknownMs };
}
