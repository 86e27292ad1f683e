/** "Where the time went": the newest update's way as a bar, and how long all of them took. */

import { make, write } from "../cloud/writing.js";
import { delayWords } from "../cloud/words.js";
import { BARS, Latencies } from "./latency.js";

/** What happens between a hop and the one before it; in the order of the way. */
const LEGS = {
  queued: "pillow to queue",
  polled: "in the queue",
  published: "poller",
  forwarded: "broker and gateway",
  shown: "to the screen",
};

export class Way {
  #panel = document.getElementById("way");
  #median = document.getElementById("way-median");
  #title = document.getElementById("way-newest");
  #bar = document.getElementById("way-bar");
  #legend = document.getElementById("way-legend");
  #histogram = document.getElementById("way-histogram");
  #numbers = document.getElementById("way-numbers");
  #clock = document.getElementById("way-clock");
  #latencies = new Latencies();
  #newest = null;
  #rows = new Map();
  #isStale = false;

  constructor() {
    this.#panel.addEventListener("toggle", () => {
      this.#isStale = true;
      if (this.#panel.open) this.#build();
    });
  }

  /** What the panel shows; made when it is opened first, because the page does not begin with it. */
  #build() {
    if (this.#rows.size > 0) return;
    for (const [hop, name] of Object.entries(LEGS)) {
      const piece = make("span", `leg ${hop}`);
      const row = make("li", `leg-row ${hop}`);
      const value = make("span", "ms");
      row.append(make("i", `key ${hop}`), make("span", "", name), " ", value);
      this.#bar.append(piece);
      this.#legend.append(row);
      this.#rows.set(hop, { piece, row, value });
    }
    for (const end of BARS) {
      const bar = make("span", "bar");
      bar.append(make("i"));
      bar.append(make("b", "", end === Infinity ? "more" : end < 1000 ? `${end}` : `${end / 1000} s`));
      this.#histogram.append(bar);
    }
  }

  /** Take in the way of one update of a pillow. */
  add(id, journey) {
    this.#latencies.add(journey.ms, journey.atMost);
    this.#newest = { id, ...journey };
    this.#isStale = true;
  }

  /** @param {{clockOffsetMs: number | null, roundTripMs: number | null}} client */
  show(client) {
    this.#panel.hidden = this.#newest === null;
    if (this.#newest === null || !this.#isStale) return;
    this.#isStale = false;
    const summary = this.#latencies.summary();
    write(this.#median, delayWords({ ms: summary.p50, atMost: false }));
    if (this.#panel.open) this.#draw(summary, client);
  }

  #draw(summary, { clockOffsetMs, roundTripMs }) {
    this.#build();
    const { id, legs, ms, atMost } = this.#newest;
    write(this.#title, `${id}: ${delayWords({ ms, atMost })}`);
    const byHop = new Map(legs.map((leg) => [leg.to, leg.ms]));
    for (const [hop, { piece, row, value }] of this.#rows) {
      const took = byHop.get(hop);
      row.classList.toggle("none", took === undefined);
      piece.style.flexGrow = String(took ?? 0);
      write(value, took === undefined ? "not told" : delayWords({ ms: took, atMost: false }));
    }
    const most = Math.max(1, ...summary.bars);
    summary.bars.forEach((count, index) => {
      const bar = this.#histogram.children[index];
      bar.firstChild.style.height = `${(count / most) * 100}%`;
      bar.title = count === 1 ? "1 update" : `${count} updates`;
    });
    const { p50, p95, p99, count, rough } = summary;
    const words = (value) => delayWords({ ms: value, atMost: false });
    write(this.#numbers, `Half within ${words(p50)}, 95 % within ${words(p95)}, 99 % within ${words(p99)}, of ${count === 1 ? "1 update" : `${count} updates`}.${roughWords(rough)}`);
    write(this.#clock, clockWords(clockOffsetMs, roundTripMs));
  }
}

/** Azure's queue tells whole seconds. */
function roughWords(rough) {
  return rough === 0 ? "" : ` Of ${rough} the queue told the second only: they took up to 1 s less.`;
}

/** What is known of the two clocks. */
export function clockWords(offsetMs, roundTripMs) {
  if (offsetMs === null) return "";
  if (roundTripMs === null) return "The clocks could not be compared by a ping; the last leg is as short as it can be.";
  const ahead = Math.round(Math.abs(offsetMs));
  const margin = Math.max(1, Math.ceil(roundTripMs / 2));
  const side = offsetMs > 0 ? "behind" : "ahead of";
  const amount = ahead < 1000 ? `${ahead} ms` : `${(ahead / 1000).toFixed(1)} s`;
  return ahead <= margin
    ? `This device's clock and the gateway's agree within ${margin} ms, as measured by ping.`
    : `This device's clock is ${amount} ${side} the gateway's (± ${margin} ms, measured by ping), which is taken into account.`;
}
