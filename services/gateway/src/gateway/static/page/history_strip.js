/** The past states of a pillow as a coloured strip, with a slider to select a time. */

import { stateColor } from "../cloud/cloud.js";
import { byId, createElement, setText } from "../cloud/dom.js";
import { ticks, totalByState } from "./timeline.js";

/** @typedef {import("./timeline.js").Timeline} Timeline */
/** @typedef {import("./timeline.js").Interval} Interval */
/** @typedef {import("./timeline.js").Segment} Segment */

const SLIDER_STEP_MS = 1000;
/** Minimum distance between two time labels. */
const TICK_PX = 110;
/** A label within this share of the width from an end of the strip is left out, or it would be cut off. */
const LABEL_MARGIN = 0.04;
/** Half of the widest time label. */
const HALF_LABEL_PX = 44;
/** Minimum width of a segment, so that a short hug is visible. */
const MIN_SEGMENT_PX = 2;
const HATCH_PX = 7;
/** Height of a state's segment as a share, so that gestures stand out without their colour, too. */
const SEGMENT_HEIGHTS = new Map([["neutral", 0.42], ["notconnected", 0.2]]);

/** @type {Intl.DateTimeFormatOptions} */
const TO_THE_MINUTE = { hour: "2-digit", minute: "2-digit" };
/** @type {Intl.DateTimeFormatOptions} */
export const TO_THE_SECOND = { ...TO_THE_MINUTE, second: "2-digit" };

export class HistoryStrip {
  /** @type {HTMLCanvasElement} */
  #canvas;
  /** @type {HTMLInputElement} */
  #slider;
  #times;
  #start;
  #legend;
  #texts;
  /** @type {Map<string, HTMLElement>} */
  #legendRows = new Map();
  #from = 0;
  #to = 0;
  /** The selected time; null for now. @type {number | null} */
  #selected = null;
  /** @type {Timeline | null} */
  #timeline = null;

  /**
   * @param {Document} document
   * @param {import("../cloud/texts.js").Texts} texts
   * @param {(time: number | null) => void} onSelect receives the selected time; null for now
   */
  constructor(document, texts, onSelect) {
    this.#texts = texts;
    this.#canvas = byId(document, "history-canvas");
    this.#slider = byId(document, "history-slider");
    this.#times = byId(document, "history-times");
    this.#start = byId(document, "history-start");
    this.#legend = byId(document, "history-legend");
    this.#slider.step = String(SLIDER_STEP_MS);
    this.#slider.addEventListener("input", () => {
      const value = Number(this.#slider.value);
      this.#selected = value >= Number(this.#slider.max) ? null : value;
      this.#setValueText();
      onSelect(this.#selected);
    });
  }

  /** Select now. */
  clearSelection() {
    this.#selected = null;
  }

  /**
   * @param {Timeline} timeline
   * @param {{from: number, to: number, knownUntil: number, clockOffsetMs: number}} range `knownUntil`:
   *   after it no state is known; `clockOffsetMs`: the gateway's clock minus the local clock
   */
  render(timeline, { from, to, knownUntil, clockOffsetMs }) {
    this.#timeline = timeline;
    this.#from = from;
    this.#to = to;
    const end = Math.min(to, knownUntil);
    const segments = timeline.segments(from, end);
    this.#draw(segments, [...timeline.unknown(from, to), { from: end, to }]);
    this.#renderLegend(totalByState(segments));
    this.#renderTimes(clockOffsetMs);
    const max = Math.floor(to / SLIDER_STEP_MS) * SLIDER_STEP_MS;
    this.#slider.min = String(Math.floor(from / SLIDER_STEP_MS) * SLIDER_STEP_MS);
    this.#slider.max = String(max);
    // The selected time may have left the strip at its start.
    if (this.#selected !== null && this.#selected < from) this.#selected = from;
    this.#slider.value = String(this.#selected ?? max);
    this.#slider.classList.toggle("past", this.#selected !== null);
    this.#setValueText(clockOffsetMs);
    setText(this.#start, to - from > 0 ? this.#texts.age(to - from) : "");
  }

  /** Set the text that a screen reader reads for the slider's value. */
  #setValueText(clockOffsetMs = 0) {
    const moment = this.#timeline?.at(this.#selected ?? this.#to);
    const activity = moment ? this.#texts.state(moment.state) : this.#texts.format("history.unknown");
    const text =
      this.#selected === null
        ? this.#texts.format("history.now-is", { activity })
        : this.#texts.format("history.at", { time: this.#texts.time(this.#selected - clockOffsetMs, TO_THE_SECOND), activity });
    if (this.#slider.getAttribute("aria-valuetext") !== text) this.#slider.setAttribute("aria-valuetext", text);
  }

  /**
   * @param {Segment[]} segments
   * @param {Interval[]} unknown
   */
  #draw(segments, unknown) {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.#canvas.clientWidth * ratio);
    const height = Math.round(this.#canvas.clientHeight * ratio);
    const context = this.#canvas.getContext("2d");
    if (width === 0 || context === null) return;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const x = (/** @type {number} */ at) => ((at - this.#from) / (this.#to - this.#from)) * width;
    context.clearRect(0, 0, width, height);
    for (const { from, to, state } of segments) {
      const left = x(from);
      const segmentWidth = Math.max(x(to) - left, MIN_SEGMENT_PX * ratio);
      const segmentHeight = height * (SEGMENT_HEIGHTS.get(state) ?? 1);
      context.fillStyle = stateColor(state);
      context.globalAlpha = state === "notconnected" ? 0.45 : 1;
      context.fillRect(left, height - segmentHeight, segmentWidth, segmentHeight);
    }
    context.globalAlpha = 1;
    for (const { from, to } of unknown) drawHatching(context, x(from), x(to), height, ratio);
  }

  /** Show the colours and the total duration of each state. @param {[string, number][]} totals */
  #renderLegend(totals) {
    for (const [state, row] of this.#legendRows) row.hidden = !totals.some(([name]) => name === state);
    for (const [state, ms] of totals) {
      const row = this.#legendRows.get(state) ?? this.#addLegendRow(state);
      if (row.lastElementChild !== null) setText(row.lastElementChild, this.#texts.duration(ms));
    }
  }

  /** @param {string} state */
  #addLegendRow(state) {
    const row = createElement("li");
    row.style.setProperty("--state", stateColor(state));
    row.append(createElement("span", "dot"), createElement("span", "", this.#texts.state(state)), " ", createElement("span", "ms"));
    this.#legendRows.set(state, row);
    this.#legend.append(row);
    return row;
  }

  /** @param {number} clockOffsetMs */
  #renderTimes(clockOffsetMs) {
    const width = this.#times.clientWidth;
    const most = Math.max(2, Math.floor(width / TICK_PX));
    const zoneOffset = -new Date(this.#to).getTimezoneOffset() * 60_000;
    const [from, to] = [this.#from - clockOffsetMs, this.#to - clockOffsetMs];
    const margin = Math.max(LABEL_MARGIN, HALF_LABEL_PX / width) * (to - from);
    const shown = ticks(from, to, most, zoneOffset).filter((at) => at > from + margin && at < to - margin);
    const options = shown.length > 1 && shown[1] - shown[0] < 60_000 ? TO_THE_SECOND : TO_THE_MINUTE;
    // Time runs in the direction of reading.
    const isRightToLeft = getComputedStyle(this.#times).direction === "rtl";
    while (this.#times.children.length > shown.length) this.#times.lastElementChild?.remove();
    while (this.#times.children.length < shown.length) this.#times.append(createElement("span"));
    [...this.#times.children].forEach((label, index) => {
      const at = shown[index];
      // By `translate`, because labels move with the time, and `left` would cost a layout each time.
      const x = Math.round(((at - from) / (to - from)) * width);
      /** @type {HTMLElement} */ (label).style.translate = `${isRightToLeft ? -x : x}px`;
      setText(label, this.#texts.time(at, options));
    });
  }
}

/**
 * Hatch an interval in which the state is unknown.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} from
 * @param {number} to
 * @param {number} height
 * @param {number} ratio device pixels in one CSS pixel
 */
function drawHatching(context, from, to, height, ratio) {
  if (to - from < 1) return;
  context.save();
  context.beginPath();
  context.rect(from, 0, to - from, height);
  context.clip();
  context.strokeStyle = "rgb(128 140 170 / 0.6)";
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  for (let x = from - height; x < to + height; x += HATCH_PX * ratio) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
}
