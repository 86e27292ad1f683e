/** The story of the pillow in the detail view: strip, replay and heat map. */

import { byId, createElement } from "../cloud/dom.js";
import { episodesBetween } from "./activity.js";
import { busiestHours, heatRows, heatVersion, totalHugs } from "./heat_cells.js";
import { HeatMap } from "./heat_map.js";
import { HistoryStrip } from "./history_strip.js";
import { PastView } from "./past_view.js";
import { PastWords } from "./past_words.js";
import { PillowPast } from "./pillow_past.js";
import { ReplayControls } from "./replay_controls.js";
import { spanOf } from "./spans.js";
import { heatCaption } from "./story_words.js";

/** While a replay plays, strip and text are rendered this often at most. */
const READOUT_MS = 100;

/** @typedef {import("./timeline.js").Interval} Interval */
/** @typedef {import("./past_view.js").Moment} Moment */

/** @typedef {import("./past_words.js").Past} Past */

/**
 * @typedef {object} StoryParts
 * @property {Document} document
 * @property {import("../client/session.js").Session} client
 * @property {import("../cloud/texts.js").Texts} texts
 * @property {import("./times.js").Times} times
 * @property {import("./calendar.js").Calendar} calendar
 * @property {import("./past_loader.js").PastLoader} loader
 * @property {(kind: string) => string} colorOf
 * @property {(id: string) => number} hugsToday what the page tells elsewhere; 0 if that is not known
 * @property {() => void} onChange what the page shows has changed
 */

export class StoryView {
  #parts;
  #words;
  #view;
  #strip;
  #controls;
  #heat;
  /** @type {PillowPast | null} */
  #pillow = null;
  /** Intervals in which the gateway had no broker, so that states were missed. @type {Interval[]} */
  #gaps = [];
  /** When the broker was lost; null while it is there. @type {number | null} */
  #brokerLostAt = null;
  /** What the heat map shows: the gateway's answer, and what was counted since. @type {unknown[]} */
  #heatShown = [];

  /** @param {StoryParts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { document, texts, times, calendar, colorOf } = parts;
    const words = { texts, times };
    this.#words = new PastWords(parts);
    this.#view = new PastView(calendar);
    this.#strip = new HistoryStrip(words, colorOf, (time) => this.#select(time));
    this.#controls = new ReplayControls(texts, {
      onSpan: (name) => this.#change(() => this.#view.choose(name)),
      onPlay: () => this.#togglePlay(),
      onSpeed: (speed) => this.#view.setSpeed(speed),
      onNow: () => this.#change(() => this.#view.toNow()),
      onCloser: () => this.#lookCloser(this.#view.clock.position ?? this.#now),
    });
    this.#heat = new HeatMap(words, ({ from, to }) => this.#lookCloser(from, { from, to }));
    this.#heat.element.style.setProperty("--hug", colorOf("hugging"));
    byId(document, "story").replaceChildren(this.#controls.head, this.#strip.element, this.#controls.bar, this.#strip.legend);
    byId(document, "heat").replaceChildren(createElement("h3", "", texts.format("story.heat-title")), this.#heat.element);
  }

  /** The pillow that is shown; null for none. */
  get id() {
    return this.#pillow?.id ?? null;
  }

  /** Show a pillow; null for none. @param {string | null} id */
  open(id) {
    if (id === this.id) return;
    const { client, calendar, loader } = this.#parts;
    loader.stop();
    this.#pillow = id === null ? null : new PillowPast(id, this.#gaps, { client, calendar, loader });
    this.#view.toNow();
    this.#heatShown = [];
  }

  /** Add a new state of the pillow. @param {import("../client/frames.js").Pillow} pillow */
  add(pillow) {
    this.#pillow?.add(pillow);
  }

  /** @param {import("../client/client_events.js").ConnectionDetail} detail */
  onConnection({ connection, since }) {
    const at = since + (this.#parts.client.clockOffsetMs ?? 0);
    if (connection === "live") this.#pillow?.refresh();
    // It is asked again once the page is live.
    if (connection === "disconnected") this.#parts.loader.stop();
    if (this.#brokerLostAt !== null && connection === "live") {
      this.#gaps.push({ from: this.#brokerLostAt, to: at });
      this.#brokerLostAt = null;
    } else if (connection === "broker-offline") {
      this.#brokerLostAt ??= at;
    }
  }

  /** What is shown instead of now; null for now. @returns {Past | null} */
  get past() {
    const moment = this.#moment;
    return moment === null ? null : this.#words.past(moment, this.#now);
  }

  /** When a pillow was last heard that only the past knows, in words; "" of another one. */
  get lastHeard() {
    return this.#words.lastHeard(this.#pillow?.isGone ? this.#pillow.lastHeard : NaN);
  }

  /** Whether there is nothing to tell: no pillow is shown, or nobody knows it. */
  get #isEmpty() {
    return this.#pillow === null || (this.#pillow.isGone && Number.isNaN(this.#pillow.lastHeard));
  }

  /** What the activity of the pillow says of today; null if that is not known. @returns {{hugs: number, punches: number, source: string} | null} */
  get today() {
    if (this.#pillow === null || this.#isEmpty) return null;
    const { isMemory } = this.#pillow.activity("7d");
    const steps = this.#pillow.stepsOf("7d");
    if (steps.length === 0) return null;
    const midnight = this.#parts.calendar.midnight(this.#now);
    const count = (/** @type {string} */ state) => episodesBetween(steps, state, midnight, Infinity);
    return { hugs: count("hugging"), punches: count("punching"), source: isMemory ? "memory" : "recorder" };
  }

  render() {
    const { client } = this.#parts;
    const pillow = client.pillows.get(this.id ?? "");
    if (this.#pillow === null || client.connection === "connecting" || this.#isEmpty) return;
    if (pillow !== undefined) this.#pillow.add(pillow);
    this.#renderStrip(this.#pillow);
    this.#renderHeat(this.#pillow);
  }

  get #now() {
    return this.#parts.client.now();
  }

  /** @returns {Moment | null} */
  get #moment() {
    const pillow = this.#pillow;
    if (pillow === null || this.#view.clock.position === null) return null;
    return this.#view.moment(pillow.timeline(this.#view), pillow.steps(this.#view));
  }

  /** @param {PillowPast} pillow */
  #content(pillow) {
    return this.#view.content(pillow.timeline(this.#view), pillow.steps(this.#view), { now: this.#now, knownUntil: pillow.knownUntil });
  }

  /** @param {PillowPast} pillow */
  #renderStrip(pillow) {
    const { texts, times, calendar } = this.#parts;
    const { closeUp, clock, span, isLive, isNow } = this.#view;
    const range = this.#view.range(this.#now);
    const moment = this.#moment;
    const valueText = this.#words.value(moment, this.#parts.client.pillows.get(pillow.id)?.state, this.#now);
    const days = span.days > 0 ? calendar.lastDays(range.to, span.days) : [];
    this.#strip.render({ ...this.#content(pillow), range, isLive, selected: clock.position, valueText, days });
    this.#controls.render({
      title: closeUp === null ? texts.format(`story.title-${span.name}`) : times.range(closeUp.from, closeUp.to, "moment"),
      span: span.name,
      isPlaying: clock.isPlaying,
      speeds: span.speeds,
      speed: clock.speed,
      readout: moment === null ? this.#words.note(pillow.progress(this.#view), { hasSteps: span.stepMs > 0, isLive: this.#isLive }) : valueText,
      isNote: moment === null,
      isNow,
      canLookCloser: span.stepMs > 0 && moment !== null,
    });
  }

  get #isLive() {
    return this.#parts.client.connection === "live";
  }

  /** @param {PillowPast} pillow */
  #renderHeat(pillow) {
    const { calendar, texts, times, hugsToday } = this.#parts;
    const span = spanOf(this.#view.span.name === "30d" ? "30d" : "7d");
    const activity = pillow.activity(span.name);
    if (activity.value === undefined || activity.value.length === 0) {
      this.#heatShown = [];
      this.#heat.render([], this.#words.progress(activity, this.#isLive));
      return;
    }
    const steps = pillow.stepsOf(span.name);
    const today = hugsToday(pillow.id);
    const shown = [activity.value, heatVersion(steps, today)];
    if (shown.every((one, index) => one === this.#heatShown[index])) return;
    this.#heatShown = shown;
    const rows = heatRows(steps, calendar.lastDays(this.#now, span.days), calendar);
    const unheardMs = steps.reduce((sum, step) => sum + step.unheardMs, 0);
    const heat = { days: rows.length, hugs: totalHugs(rows, today), busiest: busiestHours(rows), unheardMs };
    this.#heat.render(rows, heatCaption(heat, { texts, times }));
  }

  /** @param {number | null} time */
  #select(time) {
    this.#change(() => {
      this.#view.clock.pause();
      this.#view.select(time, this.#now);
    });
  }

  /** @param {number} time @param {Interval} [hour] */
  #lookCloser(time, hour) {
    this.#change(() => this.#view.lookCloser(time, this.#now, hour));
    byId(this.#parts.document, "detail").scrollIntoView();
    this.#strip.focus();
  }

  #togglePlay() {
    this.#change(() => this.#view.toggle(this.#now));
    if (!this.#view.clock.isPlaying) return;
    let before = performance.now();
    let renderedAt = -Infinity;
    let shown = "";
    const frame = (/** @type {number} */ at) => {
      const pillow = this.#pillow;
      if (!this.#view.clock.isPlaying || pillow === null) return;
      this.#view.advance(Math.max(0, at - before), this.#content(pillow).skips, this.#now);
      before = at;
      const key = this.past?.key ?? "";
      if (key !== shown || at - renderedAt > READOUT_MS) {
        renderedAt = at;
        shown = key;
        this.#parts.onChange();
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** @param {() => void} change of what is looked at */
  #change(change) {
    change();
    this.#parts.onChange();
  }
}
