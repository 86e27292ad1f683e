/** Pure: numbers and lists as a person would say them, in English. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A stretch of time: "0 s", "12 s", "3 min", "5 h", "2 days". @param {number} ms */
export function duration(ms) {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  const days = Math.floor(ms / DAY);
  return days === 1 ? "1 day" : `${days} days`;
}

/** How long ago: "just now", "12 s ago"; "" when nobody knows. @param {number} ms */
export function age(ms) {
  if (Number.isNaN(ms)) return "";
  return ms < 2 * SECOND ? "just now" : `${duration(ms)} ago`;
}

/** The time a state took: "182 ms", "1.2 s", "under 2 s". @param {{ms: number, atMost: boolean}} delay */
export function delayWords({ ms, atMost }) {
  if (atMost) return `under ${Math.max(1, Math.ceil(ms / SECOND))} s`;
  return ms < SECOND ? `${Math.round(ms)} ms` : `${(ms / SECOND).toFixed(1)} s`;
}

/** A share in 0..1 as a percentage, or "" when it is none. @param {unknown} share */
export function percent(share) {
  return typeof share === "number" && share >= 0 && share <= 1 ? `${Math.round(share * 100)} %` : "";
}

/** So many clouds are told of by name; of more, only how many they are. */
export const FEW = 3;

/**
 * What a screen reader should hear of many changes at once: each when they are few, their
 * number when they are not.
 *
 * @param {Map<string, string>} changes name → what it is doing now
 */
export function announcement(changes) {
  if (changes.size === 0) return "";
  if (changes.size > FEW) return `${changes.size} clouds changed.`;
  return [...changes].map(([name, doing]) => `${name}: ${doing}.`).join(" ");
}

/** Counted: "no clouds", "1 cloud", "3 clouds". @param {number} count */
export function clouds(count) {
  if (count === 0) return "no clouds yet";
  return count === 1 ? "1 cloud" : `${count} clouds`;
}

/** Whether a cloud stands still: what it did last may be over. @param {string} fresh as of `feeling` */
export function isStill(fresh) {
  return fresh === "stale" || fresh === "quiet";
}

/**
 * What can truthfully be said of a pillow: what it does, and when that was so.
 *
 * @param {import("../client/frames.js").Pillow | undefined} pillow
 * @param {string} fresh `live`, `quiet`, `notconnected`, `stale` or `unknown`
 * @param {number} ageMs how long ago its state was true
 * @param {(state: string) => string} label what a state is called
 * @returns {{state: string, doing: string, note: string, when: string}} `note` is what is to be
 *   said before `when`, with what parts the two; "" for nothing
 */
export function feeling(pillow, fresh, ageMs, label) {
  if (pillow === undefined) return { state: "unknown", doing: "No word yet", note: "", when: "" };
  const { state, last } = pillow;
  const when = age(ageMs);
  const doing = fresh === "stale" ? `Was ${lower(label(state))}` : label(state);
  if (fresh === "quiet") return { state, doing, note: "quiet, ", when };
  // A pillow may have a field of that name too; only beside this state is it the gateway's word.
  if (state === "notconnected" && typeof last === "string") return { state, doing, note: `last ${lower(label(last))}, `, when };
  return { state, doing, note: "", when };
}

/** @param {string} text */
const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);
