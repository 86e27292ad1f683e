/** What a pillow's view says of its past. Pure but for what `Texts` and `Times` know. */

import { totals } from "./activity.js";
import { poseOf } from "./past_view.js";
import { kindLabel, totalsText } from "./story_words.js";

/** @typedef {import("./past_view.js").Moment} Moment */

/** What the page shows instead of now. `key` changes with the state. @typedef {{state: string, pose: string, activity: string, when: string, isKnown: boolean, key: string, motion: unknown}} Past */

export class PastWords {
  #texts;
  #times;
  #calendar;

  /** @param {{texts: import("../cloud/texts.js").Texts, times: import("./times.js").Times, calendar: import("./calendar.js").Calendar}} words */
  constructor({ texts, times, calendar }) {
    this.#texts = texts;
    this.#times = times;
    this.#calendar = calendar;
  }

  /** A past time in the place of the present. @param {Moment} moment @param {number} now @returns {Past} */
  past(moment, now) {
    const { time, kind, motion } = moment;
    const values = { time: this.#time(moment, now), age: this.#texts.age(now - time) };
    const when = this.#texts.format(this.#isToday(time, now) ? "story.replay" : "story.replay-day", values);
    const isKnown = kind !== "unheard" && kind !== "unknown";
    const state = kind === "asleep" ? "notconnected" : isKnown ? kind : "unknown";
    return { state, pose: poseOf(kind), activity: kindLabel(kind, this.#texts), when, isKnown, key: `${kind} ${motion ? time : ""}`, motion };
  }

  /**
   * What is shown, as the value of the strip's slider.
   *
   * @param {Moment | null} moment null for now
   * @param {string | undefined} state the present one; undefined without one
   * @param {number} now
   */
  value(moment, state, now) {
    if (moment === null) {
      return this.#texts.format("story.slider-now", { state: state === undefined ? this.#texts.format("story.unknown") : this.#texts.state(state) });
    }
    const past = moment.step === null ? kindLabel(moment.kind, this.#texts) : totalsText(totals([moment.step]), this.#texts);
    return this.#texts.format("story.slider-past", { time: this.#time(moment, now), state: past });
  }

  /**
   * A note on what is shown; "" for none.
   *
   * @param {import("./pillow_past.js").Kept} kept
   * @param {{hasSteps: boolean, isLive: boolean}} view `hasSteps`: whether it needs steps; `isLive`: whether the page is
   */
  note(kept, { hasSteps, isLive }) {
    const isEmpty = hasSteps && kept.value?.length === 0;
    if (kept.isFailing || kept.value === undefined || isEmpty) return this.progress(kept, isLive);
    return kept.isMemory ? this.#texts.format("story.memory") : "";
  }

  /** Why there is nothing to show. @param {import("./pillow_past.js").Kept} kept @param {boolean} isLive */
  progress({ isFailing, value }, isLive) {
    if (isFailing) return this.#texts.format("story.failed");
    if (value !== undefined) return this.#texts.format("story.nothing");
    return isLive ? this.#texts.format("story.loading") : "";
  }

  /** Since when nobody has heard a pillow; "" if that is not known. @param {number} time NaN if it is not known */
  lastHeard(time) {
    return Number.isNaN(time) ? "" : this.#texts.format("story.not-heard-since", { time: this.#times.format(time, "moment") });
  }

  /** Only a time of another day needs its day. @param {Moment} moment @param {number} now */
  #time({ time, step }, now) {
    const isToday = this.#isToday(time, now);
    if (step !== null) return this.#times.range(step.from, step.to, isToday ? "minute" : "moment");
    return isToday ? this.#times.format(time, "second") : this.#times.format(time, "instant");
  }

  /** @param {number} time @param {number} now */
  #isToday(time, now) {
    return this.#calendar.day(time) === this.#calendar.day(now);
  }
}
