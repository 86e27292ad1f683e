/** A pillow's timeline as a coloured strip, to look at and to move along. */

import { stateColor, stateLabel } from "../cloud/cloud.js";
import { duration } from "../cloud/words.js";
import { make, write } from "../cloud/writing.js";
import { ticks, totals } from "./timeline.js";

const STEP_MS = 1000;
const TICK_PX = 110;
/** A label this near to an end of the strip would be cut off. */
const EDGE = 0.04;
/** Half of the widest time that is written. */
const HALF_TIME_PX = 44;
const MINUTES = { hour: "2-digit", minute: "2-digit" };
const SECONDS = { ...MINUTES, second: "2-digit" };
const formats = new Map();

/** A time of day in words; what words it takes is asked of the system when they are needed first. */
function timeOf(at, parts) {
  if (!formats.has(parts)) formats.set(parts, new Intl.DateTimeFormat(undefined, parts));
  return formats.get(parts).format(at);
}

/** A time of day, for a person here. `offset` is what the gateway's clock is ahead by. */
export const clockTime = (at, offset = 0) => timeOf(at - offset, SECONDS);

export class Strip {
  #canvas = document.getElementById("strip");
  #range = document.getElementById("scrub");
  #times = document.getElementById("times");
  #now = document.getElementById("strip-now");
  #legend = document.getElementById("strip-legend");
  #rows = new Map();
  #from = 0;
  #to = 0;
  #then = null;
  #timeline = null;

  /** @param {(then: number | null) => void} onScrub told of the time that is looked at; null for now */
  constructor(onScrub) {
    this.#range.addEventListener("input", () => {
      const value = Number(this.#range.value);
      this.#then = value >= Number(this.#range.max) ? null : value;
      this.#say();
      onScrub(this.#then);
    });
  }

  /** Back to now. */
  release() {
    this.#then = null;
  }

  /**
   * @param {import("./timeline.js").Timeline} timeline
   * @param {{from: number, to: number, knownUntil: number, offset: number}} times `knownUntil`:
   *   after it nothing is known; `offset`: what the gateway's clock is ahead by
   */
  show(timeline, { from, to, knownUntil, offset }) {
    this.#timeline = timeline;
    this.#from = from;
    this.#to = to;
    const stretches = timeline.stretches(from, Math.min(to, knownUntil));
    this.#draw(stretches, [...timeline.unknown(from, to), { from: Math.min(to, knownUntil), to }]);
    this.#writeLegend(totals(stretches));
    this.#writeTimes(offset);
    const max = Math.floor(to / STEP_MS) * STEP_MS;
    this.#range.min = String(Math.floor(from / STEP_MS) * STEP_MS);
    this.#range.max = String(max);
    // What has slid out on the left is looked at no longer.
    if (this.#then !== null && this.#then < from) this.#then = from;
    this.#range.value = String(this.#then ?? max);
    this.#range.classList.toggle("then", this.#then !== null);
    this.#say(offset);
    write(this.#now, to - from > 0 ? `${duration(to - from)} ago` : "");
  }

  #say(offset = 0) {
    const at = this.#then ?? this.#to;
    const moment = this.#timeline?.at(at);
    const doing = moment ? stateLabel(moment.state) : "not known";
    const text = this.#then === null ? `Now: ${doing}` : `${clockTime(at, offset)}: ${doing}`;
    if (this.#range.getAttribute("aria-valuetext") !== text) this.#range.setAttribute("aria-valuetext", text);
  }

  #draw(stretches, unknown) {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.#canvas.clientWidth * ratio);
    const height = Math.round(this.#canvas.clientHeight * ratio);
    if (width === 0) return;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const pen = this.#canvas.getContext("2d");
    const x = (at) => ((at - this.#from) / (this.#to - this.#from)) * width;
    pen.clearRect(0, 0, width, height);
    for (const { from, to, state } of stretches) {
      const left = x(from);
      // A hug of a moment is seen all the same.
      const wide = Math.max(x(to) - left, 2 * ratio);
      const share = HEIGHTS[state] ?? 1;
      pen.fillStyle = stateColor(state);
      pen.globalAlpha = state === "notconnected" ? 0.45 : 1;
      pen.fillRect(left, height * (1 - share), wide, height * share);
    }
    pen.globalAlpha = 1;
    for (const { from, to } of unknown) this.#hatch(pen, x(from), x(to), height, ratio);
  }

  #hatch(pen, from, to, height, ratio) {
    if (to - from < 1) return;
    pen.save();
    pen.beginPath();
    pen.rect(from, 0, to - from, height);
    pen.clip();
    pen.strokeStyle = "rgb(128 140 170 / 0.6)";
    pen.lineWidth = 1.5 * ratio;
    pen.beginPath();
    for (let x = from - height; x < to + height; x += 7 * ratio) {
      pen.moveTo(x, height);
      pen.lineTo(x + height, 0);
    }
    pen.stroke();
    pen.restore();
  }

  /** What the colours mean, and how long it was so. */
  #writeLegend(sums) {
    for (const [state, row] of this.#rows) row.hidden = !sums.some(([name]) => name === state);
    for (const [state, ms] of sums) {
      const row = this.#rows.get(state) ?? this.#addRow(state);
      write(row.lastElementChild, duration(ms));
    }
  }

  #addRow(state) {
    const row = make("li");
    row.style.setProperty("--state", stateColor(state));
    row.append(make("span", "dot"), make("span", "", stateLabel(state)), " ", make("span", "ms"));
    this.#rows.set(state, row);
    this.#legend.append(row);
    return row;
  }

  #writeTimes(offset) {
    const width = this.#times.clientWidth;
    const most = Math.max(2, Math.floor(width / TICK_PX));
    const zone = -new Date(this.#to).getTimezoneOffset() * 60_000;
    const [from, to] = [this.#from - offset, this.#to - offset];
    const edge = Math.max(EDGE, HALF_TIME_PX / width) * (to - from);
    const shown = ticks(from, to, most, zone).filter((at) => at > from + edge && at < to - edge);
    const parts = shown.length > 1 && shown[1] - shown[0] < 60_000 ? SECONDS : MINUTES;
    while (this.#times.children.length > shown.length) this.#times.lastElementChild.remove();
    while (this.#times.children.length < shown.length) this.#times.append(document.createElement("span"));
    shown.forEach((at, index) => {
      const label = this.#times.children[index];
      // They slide along all the time: moved in this way, nothing has to be laid out anew.
      label.style.translate = `${Math.round(((at - from) / (to - from)) * width)}px`;
      write(label, timeOf(at, parts));
    });
  }
}

/** Rest lies low, so that what happened stands out, without its colour too. */
const HEIGHTS = { neutral: 0.42, notconnected: 0.2 };
