/** What is known of pillows, in words. Pure. */

/** @typedef {import("./texts.js").Texts} Texts */

/** An announcement names up to this many clouds; of more it gives only the number. */
export const MAX_NAMED = 3;

/**
 * The text that a screen reader reads for several changes at once.
 *
 * @param {Map<string, string>} changes the activity of each cloud that changed, by id
 * @param {Texts} texts
 * @param {(id: string) => string} [nameOf] what a cloud is called
 */
export function announcementText(changes, texts, nameOf = (id) => id) {
  if (changes.size === 0) return "";
  if (changes.size > MAX_NAMED) return texts.format("announce.many", { count: changes.size });
  return [...changes].map(([id, activity]) => texts.format("announce.change", { name: nameOf(id), activity })).join(" ");
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
 * A pillow in words. `activity`: its state; `when`: how long ago that was true, and what that means, as one
 * sentence; `age`: the same in few words; `pose`: the state whose picture is shown.
 *
 * @typedef {{state: string, pose: string, activity: string, age: string, when: string}} Description
 */

/**
 * Describe a pillow with no more certainty than its freshness allows.
 *
 * @param {import("../client/frames.js").Pillow | undefined} pillow
 * @param {Knowledge} knowledge
 * @param {Texts} texts
 * @returns {Description}
 */
export function describePillow(pillow, { fresh, ageMs, isRetained }, texts) {
  if (pillow === undefined) {
    const [pose, activity] = isRetained ? ["notconnected", "pillow.unheard"] : ["neutral", "pillow.waiting"];
    return { state: "unknown", pose, activity: texts.format(activity), age: "", when: "" };
  }
  const { state, last, clock } = pillow;
  const isOld = fresh === "stale" || isOutdated(pillow, fresh);
  const activity = isOld ? texts.choose("was", state, { state: texts.state(state) }) : texts.state(state);
  // The age of a pillow whose clock is behind is as wrong as its clock.
  const isAgeWrong = isClockWrong(clock) && (fresh === "live" || fresh === "quiet");
  const age = isAgeWrong ? texts.format(`pillow.clock-${clock}`) : texts.age(ageMs);
  let when = age;
  if (age !== "" && fresh === "quiet" && !isAgeWrong) when = texts.format("pillow.quiet", { age });
  // A pillow may send a field `last` of its own: it is the gateway's only beside this state.
  if (age !== "" && state === "notconnected" && typeof last === "string") when = texts.choose("last", last, { state: texts.state(last), age });
  return { state, pose: state, activity, age, when };
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
 * @param {Texts} texts
 */
export function clockSentences(pillow, fresh, texts) {
  if (!isClockWrong(pillow?.clock)) return "";
  const meaning = fresh === "live" ? "-live" : isOutdated(pillow, fresh) ? "-outdated" : "";
  return texts.format(`clock.${pillow?.clock}${meaning}`);
}

/** @param {unknown} clock */
const isClockWrong = (clock) => clock === "ahead" || clock === "behind";
