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
 * What a client knows of the state of a pillow. `fresh`: `live`, `quiet`, `notconnected`, `stale` or
 * `unknown`; `ageMs`: how long ago the state was true; `isRetained`: whether it would be known if the
 * pillow had ever reported.
 *
 * @typedef {{fresh: string, ageMs: number, isRetained: boolean}} Knowledge
 */

/**
 * @param {import("../client/client_state.js").ClientState} client
 * @param {string} id
 * @returns {Knowledge}
 */
export function knowledgeOf(client, id) {
  return { fresh: client.freshness(id), ageMs: client.age(id), isRetained: client.isRetained };
}

/**
 * A pillow in words. `activity`: its state; `note`: a text before `when` that ends in its separator, ""
 * for none; `pose`: the state whose picture is shown.
 *
 * @typedef {{state: string, pose: string, activity: string, note: string, when: string}} Description
 */

/**
 * Describe a pillow with no more certainty than its freshness allows.
 *
 * @param {import("../client/frames.js").Pillow | undefined} pillow
 * @param {Knowledge} knowledge
 * @param {(state: string) => string} labelOf the label of a state
 * @returns {Description}
 */
export function describePillow(pillow, { fresh, ageMs, isRetained }, labelOf) {
  if (pillow === undefined) {
    const words = isRetained ? { pose: "notconnected", activity: "No word yet" } : { pose: "neutral", activity: "Waiting for news" };
    return { state: "unknown", ...words, note: "", when: "" };
  }
  const { state, last, clock } = pillow;
  const activity = fresh === "stale" || isOutdated(pillow, fresh) ? `Was ${uncapitalize(labelOf(state))}` : labelOf(state);
  const described = { state, pose: state, activity, note: "", when: formatAge(ageMs) };
  // A card has no room for both, and the age of a pillow whose clock is behind is as wrong as its clock.
  if (isClockWrong(clock) && (fresh === "live" || fresh === "quiet")) described.when = `its clock is ${clock}`;
  else if (fresh === "quiet") described.note = "quiet, ";
  // A pillow may send a field `last` of its own: it is the gateway's only beside this state.
  if (state === "notconnected" && typeof last === "string") described.note = `last ${uncapitalize(labelOf(last))}, `;
  return described;
}

/**
 * Whether a pillow may be in another state by now, although it reports: its clock is behind, so that its
 * newer states count as older.
 *
 * @param {import("../client/frames.js").Pillow | undefined} pillow
 * @param {string} fresh
 */
export function isOutdated(pillow, fresh) {
  return pillow?.clock === "behind" && fresh === "quiet";
}

/**
 * What a wrong clock of a pillow means, as sentences; "" without one.
 *
 * @param {import("../client/frames.js").Pillow | undefined} pillow
 * @param {string} fresh
 */
export function clockSentences(pillow, fresh) {
  if (!isClockWrong(pillow?.clock)) return "";
  const wrong = `This pillow's clock is wrong: it is ${pillow?.clock}.`;
  if (fresh === "live") return `${wrong} The time is the queue's.`;
  return isOutdated(pillow, fresh) ? `${wrong} What it reports counts as older than this state, which may have ended.` : wrong;
}

/** @param {unknown} clock */
const isClockWrong = (clock) => clock === "ahead" || clock === "behind";

/** @param {string} text */
const uncapitalize = (text) => text.charAt(0).toLowerCase() + text.slice(1);
