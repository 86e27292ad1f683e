/** Paints the past of a pillow on a canvas: each state, or a column for each step. */

import { GESTURES, gestureMs } from "./activity.js";

/** Minimum width of a segment, so that a short hug is visible. */
const MIN_SEGMENT_PX = 2;
const HATCH_PX = 7;
/** Height of a segment as a share, so that gestures stand out without their colour, too. */
const SEGMENT_HEIGHTS = new Map([["neutral", 0.42], ["asleep", 0.16]]);
/** Height of the band at the foot of the columns that shows whether the pillow was awake. */
const BAND_SHARE = 0.2;
/** Height of a column with the shortest gesture, as a share of the room for gestures. */
const SHORTEST_SHARE = 0.16;
/** A gap between two columns that are wider than this. */
const GAP_FROM_PX = 5;
const ASLEEP_ALPHA = 0.5;
/** What nobody heard is hatched. */
const HATCHED = ["unheard", "unknown"];

/** @typedef {import("./timeline.js").Segment} Segment */
/** @typedef {import("./timeline.js").Interval} Interval */
/** @typedef {import("./activity.js").Step} Step */
/** @typedef {(kind: string) => string} ColorOf */

export class StripPainter {
  #canvas;
  #colorOf;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {ColorOf} colorOf the colour of a kind
   */
  constructor(canvas, colorOf) {
    this.#canvas = canvas;
    this.#colorOf = colorOf;
  }

  /**
   * Paint what a pillow did, piece by piece.
   *
   * @param {Segment[]} pieces
   * @param {Interval} range
   */
  paintPieces(pieces, range) {
    const paper = this.#clear(range);
    if (paper === null) return;
    const { context, x, height, ratio } = paper;
    for (const { from, to, state } of pieces) {
      if (HATCHED.includes(state)) {
        hatch(context, x(from), x(to), height, ratio);
        continue;
      }
      const width = Math.max(x(to) - x(from), MIN_SEGMENT_PX * ratio);
      this.#fill(context, state, [x(from), width], [0, height * (SEGMENT_HEIGHTS.get(state) ?? 1)], height);
    }
  }

  /**
   * Paint a column for each step: at its foot whether the pillow was awake, above it what was done with it.
   *
   * @param {Step[]} steps
   * @param {Interval} range
   */
  paintSteps(steps, range) {
    const paper = this.#clear(range);
    if (paper === null) return;
    const { context, x, height, ratio } = paper;
    const longest = Math.max(1, ...steps.map(gestureMs));
    const band = height * BAND_SHARE;
    for (const step of steps) {
      const left = Math.round(x(step.from));
      const gap = x(step.to) - x(step.from) > GAP_FROM_PX * ratio ? ratio : 0;
      const width = Math.max(Math.round(x(step.to)) - left - gap, MIN_SEGMENT_PX * ratio);
      this.#paintBand(context, step, [left, Math.round(x(step.to)) - left], band, height, ratio);
      const total = gestureMs(step);
      // By the square root, so that a few seconds of an hour are visible beside minutes of another.
      const room = (height - band - ratio) * (SHORTEST_SHARE + (1 - SHORTEST_SHARE) * Math.sqrt(total / longest));
      let foot = band + ratio;
      for (const state of GESTURES) {
        const share = (step.ms.get(state) ?? 0) / (total || 1);
        this.#fill(context, state, [left, width], [foot, room * share], height);
        foot += room * share;
      }
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Step} step
   * @param {[number, number]} place left side and width
   * @param {number} band
   * @param {number} height
   * @param {number} ratio
   */
  #paintBand(context, { from, to, ms, asleepMs, unheardMs }, [left, width], band, height, ratio) {
    const length = Math.max(1, to - from);
    const awakeMs = [...ms.values()].reduce((sum, one) => sum + one, 0);
    if (unheardMs > length / 2) hatch(context, left, left + width, height, ratio);
    else if (asleepMs > awakeMs) this.#fill(context, "asleep", [left, width], [0, band * 0.6], height);
    else if (awakeMs > 0) this.#fill(context, "neutral", [left, width], [0, band], height);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {string} kind
   * @param {[number, number]} place left side and width
   * @param {[number, number]} size foot and height
   * @param {number} height of the canvas
   */
  #fill(context, kind, [left, width], [foot, size], height) {
    if (size <= 0) return;
    context.fillStyle = this.#colorOf(kind);
    context.globalAlpha = kind === "asleep" ? ASLEEP_ALPHA : 1;
    context.fillRect(left, height - foot - size, width, size);
    context.globalAlpha = 1;
  }

  /** @param {Interval} range */
  #clear({ from, to }) {
    const canvas = this.#canvas;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    const context = canvas.getContext("2d");
    if (width === 0 || context === null) return null;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.clearRect(0, 0, width, height);
    return { context, height, ratio, x: (/** @type {number} */ at) => ((at - from) / (to - from)) * width };
  }
}

/**
 * Hatch a time in which nothing is known.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} from
 * @param {number} to
 * @param {number} height
 * @param {number} ratio device pixels in one CSS pixel
 */
function hatch(context, from, to, height, ratio) {
  if (to - from < 1) return;
  context.save();
  context.beginPath();
  context.rect(from, 0, to - from, height);
  context.clip();
  context.strokeStyle = "rgb(128 140 170 / 0.6)";
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  // The lines of two neighbours meet, because they are counted from the left side of the canvas.
  const step = HATCH_PX * ratio;
  for (let x = Math.floor((from - height) / step) * step; x < to + height; x += step) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
}
