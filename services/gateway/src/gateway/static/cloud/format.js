/** English text for numbers, durations and states. Pure. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Format a duration: "0 s", "12 s", "3 min", "5 h", "2 days". @param {number} ms */
export function formatDuration(ms) {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  const days = Math.floor(ms / DAY);
  return days === 1 ? "1 day" : `${days} days`;
}

/** Format an age: "just now", "12 s ago"; "" for NaN. @param {number} ms */
export function formatAge(ms) {
  if (Number.isNaN(ms)) return "";
  return ms < 2 * SECOND ? "just now" : `${formatDuration(ms)} ago`;
}

/**
 * Format a latency: "182 ms", "1.2 s"; "under 2 s" if `ms` is an upper bound.
 *
 * @param {{ms: number, atMost: boolean}} latency
 */
export function formatLatency({ ms, atMost }) {
  if (atMost) return `under ${Math.max(1, Math.ceil(ms / SECOND))} s`;
  return ms < SECOND ? `${Math.round(ms)} ms` : `${(ms / SECOND).toFixed(1)} s`;
}

/** Format a number from 0 to 1 as a percentage; "" for any other value. @param {unknown} share */
export function formatPercent(share) {
  return typeof share === "number" && share >= 0 && share <= 1 ? `${Math.round(share * 100)} %` : "";
}

/** An announcement names up to this many clouds; of more it gives only the number. */
export const MAX_NAMED = 3;

/**
 * The text that a screen reader reads for several changes at once.
 *
 * @param {Map<string, string>} changes the activity of each cloud that changed, by id
 */
export function announcementText(changes) {
  if (changes.size === 0) return "";
  if (changes.size > MAX_NAMED) return `${changes.size} clouds changed.`;
  return [...changes].map(([id, activity]) => `${id}: ${activity}.`).join(" ");
}

/** Format a number of clouds: "no clouds yet", "1 cloud", "3 clouds". @param {number} count */
export function formatCloudCount(count) {
  if (count === 0) return "no clouds yet";
  return count === 1 ? "1 cloud" : `${count} clouds`;
}

/** Whether a cloud is shown without movement, because its state may have ended. @param {string} fresh */
export function isStill(fresh) {
  return fresh === "stale" || fresh === "quiet";
}

/**
 * Describe a pillow with no more certainty than its freshness allows.
 *
 * @param {import("../client/frames.js").Pillow | undefined} pillow
 * @param {string} fresh `live`, `quiet`, `notconnected`, `stale` or `unknown`
 * @param {number} ageMs how long ago its state was true
 * @param {(state: string) => string} labelOf the label of a state
 * @returns {{state: string, activity: string, note: string, when: string}} `activity` is the state
 *   in words; `note` is a text before `when` that ends in its separator, "" for none
 */
export function describePillow(pillow, fresh, ageMs, labelOf) {
  if (pillow === undefined) return { state: "unknown", activity: "No word yet", note: "", when: "" };
  const { state, last } = pillow;
  const when = formatAge(ageMs);
  const activity = fresh === "stale" ? `Was ${uncapitalize(labelOf(state))}` : labelOf(state);
  if (fresh === "quiet") return { state, activity, note: "quiet, ", when };
  // A pillow may send a field `last` of its own: it is the gateway's only beside this state.
  if (state === "notconnected" && typeof last === "string") return { state, activity, note: `last ${uncapitalize(labelOf(last))}, `, when };
  return { state, activity, note: "", when };
}

/** @param {string} text */
const uncapitalize = (text) => text.charAt(0).toLowerCase() + text.slice(1);
