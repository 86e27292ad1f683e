/** The panel at the foot of the page: latency of the newest update hop by hop, and of all updates. */

import { byId, createElement, setText } from "../cloud/dom.js";
import { BARS, LatencyStats } from "./latency_stats.js";

/** @typedef {import("../client/latency.js").Journey} Journey */
/** @typedef {import("../cloud/texts.js").Texts} Texts */

/** The hops, in order; each has a sentence for what happens before it. */
const HOPS = ["polled", "published", "forwarded", "shown"];

export class LatencyPanel {
  /** @type {HTMLDetailsElement} */
  #panel;
  #median;
  #title;
  #bar;
  #legend;
  #histogram;
  #quantiles;
  #clock;
  #stats = new LatencyStats();
  /** @type {({id: string} & Journey) | null} */
  #newest = null;
  /** @type {Map<string, {piece: HTMLElement, row: HTMLElement, value: HTMLElement}>} */
  #rows = new Map();
  #isStale = false;
  #texts;

  /**
   * @param {Document} document
   * @param {Texts} texts
   */
  constructor(document, texts) {
    this.#texts = texts;
    this.#panel = byId(document, "latency");
    this.#median = byId(document, "latency-median");
    this.#title = byId(document, "latency-newest");
    this.#bar = byId(document, "latency-bar");
    this.#legend = byId(document, "latency-legend");
    this.#histogram = byId(document, "latency-histogram");
    this.#quantiles = byId(document, "latency-quantiles");
    this.#clock = byId(document, "latency-clock");
    this.#panel.addEventListener("toggle", () => {
      this.#isStale = true;
      if (this.#panel.open) this.#createContent();
    });
  }

  /** Create the content when the panel is first opened, because it is closed when the page starts. */
  #createContent() {
    if (this.#rows.size > 0) return;
    for (const hop of HOPS) {
      const piece = createElement("span", `leg ${hop}`);
      const row = createElement("li", `leg-row ${hop}`);
      const value = createElement("span", "ms");
      row.append(createElement("i", `key ${hop}`), createElement("span", "", this.#texts.format(`latency.${hop}`)), " ", value);
      this.#bar.append(piece);
      this.#legend.append(row);
      this.#rows.set(hop, { piece, row, value });
    }
    for (const end of BARS) {
      const bar = createElement("span", "bar");
      bar.append(createElement("i"));
      bar.append(createElement("b", "", this.#endText(end)));
      this.#histogram.append(bar);
    }
  }

  /** The upper end of a bar of the histogram. @param {number} end */
  #endText(end) {
    if (end === Infinity) return this.#texts.format("latency.more");
    return this.#texts.number(end);
  }

  /**
   * Add the latency of one update.
   *
   * @param {string} id of the pillow
   * @param {Journey} journey
   */
  add(id, journey) {
    this.#stats.add(journey.ms, journey.atMost);
    this.#newest = { id, ...journey };
    this.#isStale = true;
  }

  /** @param {{clockOffsetMs: number | null, roundTripMs: number | null}} client */
  render(client) {
    this.#panel.hidden = this.#newest === null;
    if (this.#newest === null || !this.#isStale) return;
    this.#isStale = false;
    const summary = this.#stats.summary();
    setText(this.#median, this.#texts.shortDuration(summary.p50));
    if (!this.#panel.open) return;
    this.#createContent();
    this.#renderNewest(this.#newest);
    this.#renderSummary(summary);
    setText(this.#clock, clockText(client.clockOffsetMs, client.roundTripMs, this.#texts));
  }

  /** @param {{id: string} & Journey} newest */
  #renderNewest({ id, legs, ms, atMost }) {
    setText(this.#title, this.#texts.format("latency.newest-took", { name: id, duration: latencyText(ms, atMost, this.#texts) }));
    const msByHop = new Map(legs.map((leg) => [String(leg.to), leg.ms]));
    for (const [hop, { piece, row, value }] of this.#rows) {
      const legMs = msByHop.get(hop);
      row.classList.toggle("missing", legMs === undefined);
      piece.style.flexGrow = String(legMs ?? 0);
      setText(value, legMs === undefined ? this.#texts.format("latency.not-told") : this.#texts.shortDuration(legMs));
    }
  }

  /** @param {import("./latency_stats.js").Summary} summary */
  #renderSummary({ bars, p50, p95, p99, count, upperBounds }) {
    const longest = Math.max(1, ...bars);
    [...this.#histogram.children].forEach((bar, index) => {
      const fill = /** @type {HTMLElement} */ (bar.firstChild);
      fill.style.height = `${(bars[index] / longest) * 100}%`;
      /** @type {HTMLElement} */ (bar).title = this.#texts.format("latency.updates", { count: bars[index] });
    });
    const texts = this.#texts;
    const sentences = [texts.format("latency.quantiles", { p50: texts.shortDuration(p50), p95: texts.shortDuration(p95), p99: texts.shortDuration(p99), share95: texts.percent(0.95), share99: texts.percent(0.99), count })];
    // Of Azure's queue a latency may begin with a whole second.
    if (upperBounds > 0) sentences.push(texts.format("latency.upper-bounds", { count: upperBounds, second: texts.duration(1000) }));
    setText(this.#quantiles, sentences.join(" "));
  }
}

/**
 * @param {number} ms
 * @param {boolean} atMost whether `ms` is an upper bound
 * @param {Texts} texts
 */
function latencyText(ms, atMost, texts) {
  if (!atMost) return texts.shortDuration(ms);
  return texts.format("latency.under", { duration: texts.duration(Math.max(1, Math.ceil(ms / 1000)) * 1000) });
}

/**
 * How this device's clock differs from the gateway's, in words.
 *
 * @param {number | null} offsetMs the gateway's clock minus this one; null if unknown
 * @param {number | null} roundTripMs of the ping that measured it; null if none did
 * @param {Texts} texts
 */
export function clockText(offsetMs, roundTripMs, texts) {
  if (offsetMs === null) return "";
  if (roundTripMs === null) return texts.format("latency.clock-unknown");
  const differenceMs = Math.round(Math.abs(offsetMs));
  const errorMs = Math.max(1, Math.ceil(roundTripMs / 2));
  const [difference, error] = [texts.shortDuration(differenceMs), texts.shortDuration(errorMs)];
  if (differenceMs <= errorMs) return texts.format("latency.clock-agrees", { error });
  return texts.format(offsetMs > 0 ? "latency.clock-behind" : "latency.clock-ahead", { difference, error });
}
