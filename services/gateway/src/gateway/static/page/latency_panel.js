/** The panel at the foot of the page: latency of the newest update hop by hop, and of all updates. */

import { byId, createElement, setText } from "../cloud/dom.js";
import { formatLatency } from "../cloud/format.js";
import { BARS, LatencyStats } from "./latency_stats.js";

/** @typedef {import("../client/latency.js").Journey} Journey */

/** What happens between each hop and the one before it, in order. */
const LEGS = {
  polled: "in the queue",
  published: "poller",
  forwarded: "broker and gateway",
  shown: "to the screen",
};

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

  /** @param {Document} document */
  constructor(document) {
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
    for (const [hop, name] of Object.entries(LEGS)) {
      const piece = createElement("span", `leg ${hop}`);
      const row = createElement("li", `leg-row ${hop}`);
      const value = createElement("span", "ms");
      row.append(createElement("i", `key ${hop}`), createElement("span", "", name), " ", value);
      this.#bar.append(piece);
      this.#legend.append(row);
      this.#rows.set(hop, { piece, row, value });
    }
    for (const end of BARS) {
      const bar = createElement("span", "bar");
      bar.append(createElement("i"));
      bar.append(createElement("b", "", end === Infinity ? "more" : end < 1000 ? `${end}` : `${end / 1000} s`));
      this.#histogram.append(bar);
    }
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
    setText(this.#median, formatMs(summary.p50));
    if (!this.#panel.open) return;
    this.#createContent();
    this.#renderNewest(this.#newest);
    this.#renderSummary(summary);
    setText(this.#clock, clockText(client.clockOffsetMs, client.roundTripMs));
  }

  /** @param {{id: string} & Journey} newest */
  #renderNewest({ id, legs, ms, atMost }) {
    setText(this.#title, `${id}: ${formatLatency({ ms, atMost })}`);
    const msByHop = new Map(legs.map((leg) => [String(leg.to), leg.ms]));
    for (const [hop, { piece, row, value }] of this.#rows) {
      const legMs = msByHop.get(hop);
      row.classList.toggle("missing", legMs === undefined);
      piece.style.flexGrow = String(legMs ?? 0);
      setText(value, legMs === undefined ? "not told" : formatMs(legMs));
    }
  }

  /** @param {import("./latency_stats.js").Summary} summary */
  #renderSummary({ bars, p50, p95, p99, count, upperBounds }) {
    const longest = Math.max(1, ...bars);
    [...this.#histogram.children].forEach((bar, index) => {
      const fill = /** @type {HTMLElement} */ (bar.firstChild);
      fill.style.height = `${(bars[index] / longest) * 100}%`;
      /** @type {HTMLElement} */ (bar).title = formatUpdates(bars[index]);
    });
    setText(
      this.#quantiles,
      `Half within ${formatMs(p50)}, 95 % within ${formatMs(p95)}, 99 % within ${formatMs(p99)}, of ${formatUpdates(count)}.${upperBoundsText(upperBounds)}`,
    );
  }
}

/** @param {number} ms */
const formatMs = (ms) => formatLatency({ ms, atMost: false });

/** @param {number} count */
const formatUpdates = (count) => (count === 1 ? "1 update" : `${count} updates`);

/** The text for latencies that begin with a whole second of Azure's queue. @param {number} count */
function upperBoundsText(count) {
  return count === 0 ? "" : ` Of ${count} the queue told the second only: they took up to 1 s less.`;
}

/**
 * How this device's clock differs from the gateway's, in words.
 *
 * @param {number | null} offsetMs the gateway's clock minus this one; null if unknown
 * @param {number | null} roundTripMs of the ping that measured it; null if none did
 */
export function clockText(offsetMs, roundTripMs) {
  if (offsetMs === null) return "";
  if (roundTripMs === null) return "The clocks could not be compared by a ping; the last leg is as short as it can be.";
  const difference = Math.round(Math.abs(offsetMs));
  const error = Math.max(1, Math.ceil(roundTripMs / 2));
  const side = offsetMs > 0 ? "behind" : "ahead of";
  const amount = difference < 1000 ? `${difference} ms` : `${(difference / 1000).toFixed(1)} s`;
  return difference <= error
    ? `This device's clock and the gateway's agree within ${error} ms, as measured by ping.`
    : `This device's clock is ${amount} ${side} the gateway's (± ${error} ms, measured by ping), which is taken into account.`;
}
