/** The strip of a pillow's past, with a slider to select a time, a time axis and a legend. */

import { createElement, setText } from "../cloud/dom.js";
import { StripPainter } from "./strip_painter.js";
import { kindLabel } from "./story_words.js";
import { ticks } from "./timeline.js";

const SLIDER_STEP_MS = 1000;
const MINUTE_MS = 60_000;
/** Minimum distance between two time labels. */
const TICK_PX = 110;
/** A label within this share of the width from an end of the strip is left out, or it would be cut off. */
const LABEL_MARGIN = 0.04;
/** Half of the widest time label. */
const HALF_LABEL_PX = 44;

/** @typedef {import("./timeline.js").Interval} Interval */

/**
 * What the strip shows.
 *
 * @typedef {object} StripView
 * @property {Interval} range
 * @property {boolean} isLive whether the range ends now
 * @property {import("./timeline.js").Segment[]} pieces each state; none if there are columns
 * @property {import("./activity.js").Step[]} steps columns; none if each state is shown
 * @property {[string, number][]} totals how long each kind lasted
 * @property {number | null} selected the time that is shown; null for now
 * @property {string} valueText what is shown at that time, in words
 * @property {import("./calendar.js").Day[]} days whole days, whose beginnings are labelled; none for other times
 */

export class HistoryStrip {
  /** Strip and time axis. */
  element = createElement("div");
  legend = createElement("ul", "history-legend");
  /** @type {HTMLInputElement} */
  #slider = createElement("input");
  #painter;
  #times = createElement("div", "history-times");
  #start = createElement("span");
  #end = createElement("span");
  /** @type {Map<string, HTMLElement>} */
  #legendRows = new Map();
  #words;
  #colorOf;
  #max = 0;

  /**
   * @param {{texts: import("../cloud/texts.js").Texts, times: import("./times.js").Times}} words
   * @param {import("./strip_painter.js").ColorOf} colorOf
   * @param {(time: number | null) => void} onSelect receives the selected time; null for the end of the strip
   */
  constructor(words, colorOf, onSelect) {
    this.#words = words;
    this.#colorOf = colorOf;
    const canvas = createElement("canvas");
    canvas.id = "history-canvas";
    canvas.setAttribute("aria-hidden", "true");
    this.#painter = new StripPainter(canvas, colorOf);
    this.#slider.id = "history-slider";
    this.#slider.type = "range";
    this.#slider.setAttribute("aria-label", words.texts.format("story.slider"));
    this.#slider.addEventListener("input", () => {
      const value = Number(this.#slider.value);
      onSelect(value >= this.#max ? null : value);
    });
    const strip = createElement("div", "history-strip");
    strip.append(canvas, this.#slider);
    const ends = createElement("p", "history-ends");
    ends.append(this.#start, this.#end);
    for (const hidden of [this.#times, ends]) hidden.setAttribute("aria-hidden", "true");
    this.legend.id = "history-legend";
    this.element.append(strip, this.#times, ends);
  }

  focus() {
    this.#slider.focus({ preventScroll: true });
  }

  /** @param {StripView} view */
  render(view) {
    const { range, isLive, pieces, steps, totals, selected, valueText } = view;
    if (steps.length > 0) this.#painter.paintSteps(steps, range);
    else this.#painter.paintPieces(pieces, range);
    this.#renderLegend(totals);
    this.#renderTimes(view);
    const step = steps.length > 0 ? steps[0].to - steps[0].from : SLIDER_STEP_MS;
    const min = Math.floor(range.from / SLIDER_STEP_MS) * SLIDER_STEP_MS;
    this.#max = min + Math.max(1, Math.floor((range.to - min) / step)) * step;
    setAttributes(this.#slider, { step: String(step), min: String(min), max: String(this.#max), "aria-valuetext": valueText });
    this.#slider.value = String(selected ?? this.#max);
    this.#slider.classList.toggle("past", selected !== null);
    const { texts, times } = this.#words;
    const format = view.days.length > 0 ? "date" : range.to - range.from > 12 * 60 * MINUTE_MS ? "moment" : "minute";
    setText(this.#start, times.format(range.from, format));
    setText(this.#end, isLive ? texts.format("story.live") : times.format(range.to, "minute"));
  }

  /** Show the colours and the total duration of each kind. @param {[string, number][]} totals */
  #renderLegend(totals) {
    const { texts } = this.#words;
    for (const [kind, row] of this.#legendRows) row.hidden = !totals.some(([name]) => name === kind);
    for (const [kind, ms] of totals) {
      const row = this.#legendRows.get(kind) ?? this.#addLegendRow(kind);
      if (row.lastElementChild !== null) setText(row.lastElementChild, texts.duration(ms));
    }
  }

  /** @param {string} kind */
  #addLegendRow(kind) {
    const row = createElement("li");
    row.dataset.kind = kind;
    row.style.setProperty("--state", this.#colorOf(kind));
    row.append(createElement("span", "dot"), createElement("span", "", kindLabel(kind, this.#words.texts)), " ", createElement("span", "ms"));
    this.#legendRows.set(kind, row);
    this.legend.append(row);
    return row;
  }

  /** @param {StripView} view */
  #renderTimes({ range: { from, to }, days }) {
    const width = this.#times.clientWidth;
    const most = Math.max(2, Math.floor(width / TICK_PX));
    const zoneOffset = -new Date(to).getTimezoneOffset() * MINUTE_MS;
    const starts = days.map((day) => day.from);
    const every = Math.ceil(starts.length / most);
    const found = starts.length > 0 ? starts.filter((_, index) => index % every === 0) : ticks(from, to, most, zoneOffset);
    const margin = Math.max(LABEL_MARGIN, HALF_LABEL_PX / width) * (to - from);
    // Time runs in the direction of reading, as the slider does.
    const forward = getComputedStyle(this.#times).direction === "rtl" ? -1 : 1;
    const shown = found.filter((at) => at > from + margin && at < to - margin);
    const format = starts.length > 0 ? "day" : shown.length > 1 && shown[1] - shown[0] < MINUTE_MS ? "second" : "minute";
    while (this.#times.children.length > shown.length) this.#times.lastElementChild?.remove();
    while (this.#times.children.length < shown.length) this.#times.append(createElement("span"));
    [...this.#times.children].forEach((label, index) => {
      const at = shown[index];
      // By `translate`, because labels move with the time, and `left` would cost a layout each time.
      /** @type {HTMLElement} */ (label).style.translate = `${forward * Math.round(((at - from) / (to - from)) * width)}px`;
      setText(label, this.#words.times.format(at, format));
    });
  }
}

/**
 * @param {HTMLElement} element
 * @param {Record<string, string>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
