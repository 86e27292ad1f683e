/**
 * Which part of a pillow's past is looked at, and what is there: a live span that ends now, or an hour that
 * was looked at closer. Pure: what is known of the past is an argument.
 *
 * Times are ms since 1970 on the gateway's clock.
 */

import { EMPTY_KINDS, emptyTimes, kindOf, stepAt, totals } from "./activity.js";
import { ReplayClock } from "./replay_clock.js";
import { kindAt, pieces } from "./silence.js";
import { CLOSE_UP, closeUpOf, intervalOf, spanOf } from "./spans.js";
import { totalByState } from "./timeline.js";

const DEFAULT_SPAN = "10min";

/** @typedef {import("./activity.js").Step} Step */
/** @typedef {import("./timeline.js").Interval} Interval */
/** @typedef {import("./timeline.js").Timeline} Timeline */

/** What a past time was. `motion`: samples that came with it; `step`: the time that it stands for. @typedef {{time: number, kind: string, motion: unknown, step: Step | null}} Moment */

export class PastView {
  clock = new ReplayClock();
  #calendar;
  #span = spanOf(DEFAULT_SPAN);
  /** The hour that is looked at; null for a span that ends now. @type {Interval | null} */
  #closeUp = null;
  /** The range while a past time is shown, which does not move; null for now. @type {Interval | null} */
  #frozen = null;
  /** The speeds that were chosen, by span. @type {Map<string, number>} */
  #speeds = new Map();

  /** @param {import("./calendar.js").Calendar} calendar */
  constructor(calendar) {
    this.#calendar = calendar;
    this.#setSpeed();
  }

  get span() {
    return this.#closeUp === null ? this.#span : CLOSE_UP;
  }

  /** Whether the range ends now, and moves with it. */
  get isLive() {
    return this.#closeUp === null && this.#frozen === null;
  }

  /** Whether all is as it is now. */
  get isNow() {
    return this.#closeUp === null && this.clock.position === null;
  }

  get closeUp() {
    return this.#closeUp;
  }

  /** @param {number} now @returns {Interval} */
  range(now) {
    return this.#closeUp ?? this.#frozen ?? intervalOf(this.#span, now, this.#calendar);
  }

  /** Look at another span, as it is now. @param {string} name */
  choose(name) {
    this.#span = spanOf(name);
    this.toNow();
  }

  toNow() {
    this.#closeUp = null;
    this.#frozen = null;
    this.clock.seek(null);
    this.#setSpeed();
  }

  /** Look at the hour around a time, and show the time. @param {number} time @param {number} now @param {Interval} [hour] */
  lookCloser(time, now, hour = closeUpOf(time, now)) {
    this.#closeUp = hour;
    this.#frozen = null;
    this.clock.pause();
    this.clock.seek(Math.max(hour.from, Math.min(time, hour.to)));
    this.#setSpeed();
  }

  /** Show a time; null for the end of the range. @param {number | null} time @param {number} now */
  select(time, now) {
    if (time === null && this.#closeUp === null) {
      this.toNow();
      return;
    }
    this.#frozen ??= this.range(now);
    this.clock.seek(time ?? this.range(now).to);
  }

  /** Play, or stop playing. @param {number} now */
  toggle(now) {
    if (this.clock.isPlaying) {
      this.clock.pause();
      return;
    }
    this.#frozen ??= this.range(now);
    this.clock.play(this.range(now));
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.#speeds.set(this.span.name, speed);
    this.clock.speed = speed;
  }

  /**
   * Let a replay go on. A live span ends in the present.
   *
   * @param {number} elapsed real time in ms
   * @param {Interval[]} skips
   * @param {number} now
   */
  advance(elapsed, skips, now) {
    const hasEnded = this.clock.advance(elapsed, this.range(now), skips);
    if (hasEnded && this.#closeUp === null) this.toNow();
  }

  /**
   * What is shown of the range: pieces where each state is known, else steps.
   *
   * @param {Timeline} timeline
   * @param {Step[]} steps
   * @param {{now: number, knownUntil: number}} times `knownUntil`: after it no state of the timeline is known
   */
  content(timeline, steps, { now, knownUntil }) {
    const range = this.range(now);
    if (this.span.stepMs > 0) return { pieces: [], steps, totals: totals(steps), skips: emptyTimes(steps) };
    const until = Math.max(range.from, Math.min(range.to, knownUntil));
    const found = pieces(timeline.segments(range.from, until), steps, { from: range.from, to: until });
    if (until < range.to) found.push({ from: until, to: range.to, state: "unknown" });
    const known = found.filter(({ state }) => state !== "unknown");
    return { pieces: found, steps: [], totals: totalByState(known), skips: found.filter(({ state }) => EMPTY_KINDS.includes(state)) };
  }

  /**
   * What is shown instead of now; null for now.
   *
   * @param {Timeline} timeline
   * @param {Step[]} steps
   * @returns {Moment | null}
   */
  moment(timeline, steps) {
    const time = this.clock.position;
    if (time === null) return null;
    if (this.span.stepMs > 0) {
      const step = stepAt(steps, time) ?? null;
      return { time, kind: step === null ? "unknown" : kindOf(step), motion: undefined, step };
    }
    const at = timeline.at(time);
    return { time, kind: kindAt(at?.state, time, steps, timeline.start), motion: at?.motion, step: null };
  }

  #setSpeed() {
    this.clock.speed = this.#speeds.get(this.span.name) ?? this.span.speeds[0];
  }
}

/** The state whose picture is shown for a kind. @param {string} kind */
export const poseOf = (kind) => (EMPTY_KINDS.includes(kind) ? "notconnected" : kind);
