/** Whether what the page shows is live, in words and in the bar at its top. */

import { clouds, duration } from "../cloud/words.js";
import { write } from "../cloud/writing.js";

/** How often a screen reader is told of the connection at most. */
const TELL_EVERY_MS = 10_000;

/**
 * The words of the bar; pure.
 *
 * @param {object} facts
 * @param {string} facts.connection as `Pillowcast.connection`
 * @param {number} facts.since local time in ms since when it is so
 * @param {{phase: string, retryAt: number | null, reason: string}} facts.status
 * @param {number} facts.count how many pillows are known
 * @param {number} now local time in ms
 * @returns {{title: string, detail: string, note: string, canRetry: boolean}} `note` may be
 *   left out where there is no room
 */
export function statusWords({ connection, since, status, count }, now) {
  const lasting = duration(now - since);
  const note = count === 0 ? "" : "This is how the clouds last were.";
  switch (connection) {
    case "live":
      return { title: "Live", detail: clouds(count), note: "", canRetry: false };
    case "broker-offline":
      return { title: "Broker offline", detail: `for ${lasting}. No news of any cloud.`, note, canRetry: false };
    case "disconnected":
      return {
        title: "Disconnected",
        detail: `for ${lasting}. ${next(status, now)}`,
        note,
        canRetry: status.phase === "waiting" || status.phase === "stopped",
      };
    default:
      return { title: "Connecting", detail: "Looking for the clouds…", note: "", canRetry: false };
  }
}

function next({ phase, retryAt, reason }, now) {
  if (phase === "stopped") return `Not trying again: ${reason || "the gateway refused"}.`;
  if (phase === "waiting") return `Trying again in ${Math.max(1, Math.ceil((retryAt - now) / 1000))} s.`;
  return "Trying again now…";
}

/** The bar at the top of the page. */
export class StatusBar {
  #told = "connecting";
  #toldAt = -Infinity;
  #body;
  #title;
  #detail;
  #note;
  #button;
  #heard;

  constructor(document, onRetry) {
    this.#body = document.body;
    this.#title = document.getElementById("status-title");
    this.#detail = document.getElementById("status-detail");
    this.#note = document.getElementById("status-note");
    this.#button = document.getElementById("retry");
    this.#heard = document.getElementById("told-status");
    this.#button.addEventListener("click", onRetry);
  }

  show(facts, now) {
    const { title, detail, note, canRetry } = statusWords(facts, now);
    if (this.#body.dataset.connection !== facts.connection) this.#body.dataset.connection = facts.connection;
    this.#tell(facts.connection, note === "" ? title : `${title}. ${note}`, now);
    write(this.#title, title);
    write(this.#detail, detail);
    write(this.#note, note);
    // A button that vanishes under the keyboard loses its place; it waits until it is left.
    this.#button.hidden = !canRetry && this.#button.ownerDocument.activeElement !== this.#button;
  }

  /** A screen reader hears of a loss and of a return, but not of each of a connection that flaps. */
  #tell(connection, text, now) {
    if (connection === this.#told || now - this.#toldAt < TELL_EVERY_MS) return;
    // That all is well at first is no reason to keep a loss back.
    if (this.#told !== "connecting") this.#toldAt = now;
    this.#told = connection;
    this.#heard.textContent = text;
  }
}
