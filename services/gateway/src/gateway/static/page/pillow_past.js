/** What is known of the past of one pillow: the states that the page heard and those that were asked for. */

import { instant } from "../client/store.js";
import { isOutdated } from "../cloud/format.js";
import { continueSteps } from "./continued_steps.js";
import { SILENCE_MS } from "./seen_episodes.js";
import { CLOSE_UP, FINE_STEP_MS, intervalOf, spanOf } from "./spans.js";
import { SILENCE, Timeline } from "./timeline.js";

/** How much of the past is fetched state by state: a pillow has an hour in four pages or so. */
const FETCHED_MS = 3_600_000;
/** What is younger than this, the recorder may not have written yet: it is told by the states that the page knows. */
const UNWRITTEN_MS = 2_000;

/** @typedef {import("./timeline.js").Interval} Interval */
/** @typedef {import("./activity.js").Step} Step */
/** @typedef {import("./past_loader.js").Activity | import("./past_loader.js").States} Kept */

export class PillowPast {
  id;
  /** The states of the last hour, and since. */
  #timeline;
  /** The states of the hour that is looked at closer, and which one that is. */
  #closeUp = { timeline: new Timeline(), from: NaN };
  /** The answers whose states are in a timeline. @type {Set<unknown>} */
  #added = new Set();
  #client;
  #calendar;
  #loader;
  /** Distinguishes the histories that were fetched: anew after each loss of the connection. */
  #fetch = 0;

  /**
   * @param {string} id
   * @param {Interval[]} gaps when no states could be received; the caller may add to them
   * @param {{client: import("../client/session.js").Session, calendar: import("./calendar.js").Calendar, loader: import("./past_loader.js").PastLoader}} sources
   */
  constructor(id, gaps, { client, calendar, loader }) {
    this.id = id;
    this.#timeline = new Timeline(gaps);
    this.#client = client;
    this.#calendar = calendar;
    this.#loader = loader;
    // Of what came while another view was open the page knows the end only.
    loader.expire(id, "states");
  }

  get now() {
    return this.#client.now();
  }

  /** Add a new state. @param {import("../client/frames.js").Pillow} pillow */
  add(pillow) {
    this.#timeline.add(pillow);
  }

  /** Ask again for what may have been missed. */
  refresh() {
    this.#fetch += 1;
    this.#loader.expire(this.id);
  }

  /** The states of a view; they are asked for if they are not known. @param {import("./past_view.js").PastView} view */
  timeline({ closeUp }) {
    const kept = this.#states(closeUp);
    if (closeUp !== null && this.#closeUp.from !== closeUp.from) this.#closeUp = { timeline: new Timeline(), from: closeUp.from };
    const timeline = closeUp === null ? this.#timeline : this.#closeUp.timeline;
    const key = closeUp === null ? kept.value : this.#closeUp.timeline;
    if (kept.value === undefined || this.#added.has(key)) return timeline;
    this.#added.add(key);
    for (const state of kept.value) timeline.add(state, false);
    return timeline;
  }

  /** The steps of a view, as far as it needs any. @param {import("./past_view.js").PastView} view @returns {Step[]} */
  steps(view) {
    const { closeUp, span } = view;
    if (span.stepMs > 0) return this.stepsOf(span.name);
    if (closeUp !== null) return this.#loader.activity(this.id, `${closeUp.from}`, closeUp, FINE_STEP_MS, Infinity).value ?? [];
    // They only tell what a silence was.
    const { from, to } = view.range(this.now);
    const hasSilence = !(this.#timeline.start <= from) || this.#timeline.segments(from, to).some(({ state }) => state === SILENCE);
    const range = { from: this.now - FETCHED_MS, to: this.now };
    return hasSilence ? (this.#loader.activity(this.id, "fine", range, FINE_STEP_MS).value ?? []) : [];
  }

  /** Whether the gateway knows no state of it: what it knows then is its past alone. */
  get isGone() {
    return !this.#client.pillows.has(this.id);
  }

  /** When it was last heard, if only the past knows it; NaN if that is not known, too. */
  get lastHeard() {
    const steps = this.activity("30d").value ?? [];
    const step = steps.findLast(({ ms }) => ms.size > 0);
    if (step === undefined) return NaN;
    const { value: states = [] } = this.#loader.states(this.id, `last ${step.from}`, step);
    return instant(states.at(-1)?.at) || step.to;
  }

  /** What it did in each step of a span, until now. @param {string} name of the span @returns {Step[]} */
  stepsOf(name) {
    return continueSteps(this.activity(name).value ?? [], spanOf(name).stepMs, Math.min(this.now, this.knownUntil), this.#timeline);
  }

  /** What it did in each step of a span, as the gateway said last. @param {string} name of the span */
  activity(name) {
    const span = spanOf(name);
    const { from, to } = intervalOf(span, this.now, this.#calendar);
    // Steps begin at the same instants whenever they are asked for, so that a column does not change by itself.
    const start = span.days > 0 ? from : Math.floor(from / span.stepMs) * span.stepMs;
    return this.#loader.activity(this.id, name, { from: start, to: to - UNWRITTEN_MS }, span.stepMs);
  }

  /** How it goes with what a view shows. @param {import("./past_view.js").PastView} view @returns {Kept} */
  progress({ span, closeUp }) {
    return span.stepMs > 0 ? this.activity(span.name) : this.#states(closeUp);
  }

  /** After it no state is known: the page is not live, or the newest known state may have ended. */
  get knownUntil() {
    const client = this.#client;
    if (this.isGone) return this.lastHeard;
    if (isOutdated(client.pillows.get(this.id), client.freshness(this.id))) return this.now - client.age(this.id);
    return client.connection === "live" ? this.now : client.since + (client.clockOffsetMs ?? 0);
  }

  /** @param {Interval | null} closeUp */
  #states(closeUp) {
    if (closeUp === null) return this.#loader.states(this.id, `live ${this.#fetch}`, { from: this.now - FETCHED_MS });
    // The state at its start began before it.
    return this.#loader.states(this.id, `${CLOSE_UP.name} ${closeUp.from}`, { from: closeUp.from - SILENCE_MS, to: closeUp.to });
  }
}
