/** The story of a pillow in words. Pure but for what `Texts` knows. */

import { EMPTY_KINDS, GESTURES } from "./activity.js";

/** @typedef {import("../cloud/texts.js").Texts} Texts */
/** @typedef {import("./times.js").Times} Times */
/** @typedef {import("./today.js").Hugs} Hugs */

/** A longest hug below this is none to tell of. */
const MIN_LONGEST_MS = 1000;

/** Hugs are counted from the start of the day, of a time, or of the gateway. @param {Pick<Hugs, "since">} counted */
const sinceWhen = ({ since }) => (since === null ? "today" : Number.isNaN(since) ? "start" : "since");

/**
 * How often a pillow was hugged: "hugged 4 times today".
 *
 * @param {Hugs | null} hugs null if it is not known
 * @param {Texts} texts
 * @param {Times} times
 */
export function hugsText(hugs, texts, times) {
  if (hugs === null) return "";
  const key = `story.${hugs.hugs === 0 ? "none" : "hugged"}-${sinceWhen(hugs)}`;
  return texts.format(key, { count: hugs.hugs, time: hugs.since ? times.format(hugs.since, "minute") : "" });
}

/**
 * When a pillow was hugged last, and the longest hug: "last 4 min. ago, longest 41 sec".
 *
 * @param {Hugs | null} hugs
 * @param {{now: number, isHugging: boolean}} facts
 * @param {Texts} texts
 */
export function lastHugText(hugs, { now, isHugging }, texts) {
  if (hugs === null || (hugs.lastEnd === null && !isHugging)) return "";
  const longest = hugs.longestMs >= MIN_LONGEST_MS;
  const key = `story.${isHugging ? "hugged-now" : "last"}${longest ? "-longest" : ""}`;
  return texts.format(key, { age: texts.age(now - (hugs.lastEnd ?? now)), duration: texts.duration(hugs.longestMs) });
}

/**
 * The title of a number of hugs, or of punches.
 *
 * @param {"hugs" | "punches"} what
 * @param {Pick<Hugs, "since"> | null} counted from when on; null if that is not known
 * @param {Texts} texts
 * @param {Times} times
 */
export function countTitle(what, counted, texts, times) {
  const since = counted === null ? "today" : sinceWhen(counted);
  return texts.format(`story.${what}-${since}`, { time: counted?.since ? times.format(counted.since, "minute") : "" });
}

/** What a kind is called: a state's label, or "Asleep". @param {string} kind @param {Texts} texts */
export function kindLabel(kind, texts) {
  return EMPTY_KINDS.includes(kind) ? texts.format(`story.${kind}`) : texts.state(kind);
}

/**
 * What was in a time, the gestures first: "Hugging 41 sec · Asleep 3 min".
 *
 * @param {[string, number][]} totals how long each kind lasted, the longest first
 * @param {Texts} texts
 */
export function totalsText(totals, texts) {
  const isGesture = (/** @type {[string, number]} */ [kind]) => GESTURES.includes(kind);
  const shown = totals.some(isGesture) ? totals.filter(isGesture) : totals.slice(0, 1);
  return shown.map(([kind, ms]) => `${kindLabel(kind, texts)} ${texts.duration(ms)}`).join(" · ");
}

/**
 * A cell of the heat map.
 *
 * @param {import("./heat_cells.js").Cell} cell
 * @param {Texts} texts
 */
export function cellText({ kind, hugs, ms }, texts) {
  if (kind !== "hugged") return texts.format(`story.cell-${kind}`);
  return hugs === 0 ? texts.format("story.cell-went-on") : texts.format("story.cell-hugs", { count: hugs, duration: texts.duration(ms) });
}

/**
 * What a heat map shows, as sentences.
 *
 * @param {{days: number, hugs: number, busiest: ReturnType<typeof import("./heat_cells.js").busiestHours>, unheardMs: number}} heat
 * @param {{texts: Texts, times: Times}} words
 */
export function heatCaption({ days, hugs, busiest, unheardMs }, { texts, times }) {
  const sentences = [texts.format(`story.heat-${hugs === 0 ? "none" : "hugs"}-${days}d`, { count: hugs })];
  if (busiest !== null) sentences.push(texts.format("story.heat-busiest", { from: times.hourName(busiest.from), to: times.hourName(busiest.to % 24) }));
  if (unheardMs >= 60_000) sentences.push(texts.format("story.heat-unheard", { duration: texts.duration(unheardMs) }));
  return sentences.join(" ");
}

/**
 * The speed of a replay: "15×", and of a fast one "1 hr per second".
 *
 * @param {number} speed
 * @param {Texts} texts
 */
export function speedText(speed, texts) {
  if (speed >= 600) return texts.format("story.speed-fast", { duration: texts.duration(speed * 1000) });
  return texts.format("story.speed", { times: speed === 0.25 ? "¼" : texts.number(speed) });
}
