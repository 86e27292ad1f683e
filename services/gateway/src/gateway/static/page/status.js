/** The status bar at the top of the page: whether the clouds are live, and why not. */

import { UNAUTHORIZED } from "../client/retry_policy.js";
import { byId, query, setText } from "../cloud/dom.js";
import { formatCloudCount, formatDuration } from "../cloud/format.js";
import { canMove } from "../cloud/motion.js";

const NO_TOKEN_IN_TIME = 4408;
/** Minimum time between two announcements of the connection to a screen reader. */
export const MIN_ANNOUNCEMENT_INTERVAL_MS = 10_000;
const BEAT = { transform: ["none", "scale(2.8)"], opacity: [0.55, 0] };
const BEAT_MS = 1_500;

/**
 * @typedef {object} Facts
 * @property {string} connection as `Pillowcast.connection`
 * @property {number} lastingMs for how long that is so
 * @property {{phase: string, retryInMs: number | null, code: number | null, reason: string}} status as `Pillowcast.status`
 * @property {number} count number of known pillows
 * @property {boolean} isRetained whether the other pillows would be known if they had ever reported
 * @property {number | null} [watching] how many look, all together; null where that is not known
 * @property {boolean} [isOffline] whether the browser says that it has no network
 */

/**
 * The text of the status bar. Pure.
 *
 * @param {Facts} facts
 * @returns {{title: string, detail: string, note: string, canRetry: boolean}} `note` is hidden where
 *   there is no room for it
 */
export function statusText({ connection, lastingMs, status, count, isRetained, isOffline, watching = null }) {
  const lasting = formatDuration(lastingMs);
  const note = count === 0 ? "" : "This is how the clouds last were.";
  switch (connection) {
    case "live":
      return { title: "Live", detail: (isRetained ? formatCloudCount(count) : waitingText(count)) + watchingText(watching), note: "", canRetry: false };
    case "broker-offline":
      return { title: "Not live", detail: `for ${lasting}. No news of any cloud.`, note, canRetry: false };
    case "disconnected":
      if (isLocked(status)) return { title: "Private", detail: status.reason, note: "", canRetry: true };
      return {
        title: isOffline ? "You are offline" : "Disconnected",
        detail: `for ${lasting}. ${nextAttemptText(status)}`,
        note,
        canRetry: status.phase === "waiting" || status.phase === "stopped",
      };
    default:
      return { title: "Connecting", detail: "Looking for the clouds…", note: "", canRetry: false };
  }
}

/** Whether the gateway shows nothing without a token, or without another one. @param {{phase: string, code: number | null}} status */
export function isLocked({ phase, code }) {
  return phase === "stopped" && (code === UNAUTHORIZED || code === NO_TOKEN_IN_TIME);
}

/** Of nobody, nothing is said. @param {number | null} watching */
const watchingText = (watching) => (watching ? ` · ${watching} watching` : "");

/** The text while pillows may exist that are not known. @param {number} count */
const waitingText = (count) => (count === 0 ? "Waiting for news." : `${formatCloudCount(count)} so far`);

/** @param {Facts["status"]} status */
function nextAttemptText({ phase, retryInMs, reason }) {
  if (phase === "stopped") return `Not trying again: ${reason || "the gateway refused"}.`;
  if (phase === "waiting") return `Trying again in ${Math.max(1, Math.ceil((retryInMs ?? 0) / 1000))} s.`;
  return "Trying again now…";
}

export class StatusBar {
  /** @type {Animation | undefined} */
  #beat;
  #announced = "connecting";
  #announcedAt = -Infinity;
  #document;
  #title;
  #detail;
  #note;
  #retry;
  #announcement;

  /**
   * @param {Document} document
   * @param {() => void} onRetry called when the button is clicked
   */
  constructor(document, onRetry) {
    this.#document = document;
    this.#title = byId(document, "status-title");
    this.#detail = byId(document, "status-detail");
    this.#note = byId(document, "status-note");
    this.#retry = byId(document, "retry");
    this.#announcement = byId(document, "status-announcement");
    this.#retry.addEventListener("click", onRetry);
  }

  /**
   * @param {Facts} facts
   * @param {number} now monotonic time in ms
   */
  render(facts, now) {
    const { title, detail, note, canRetry } = statusText(facts);
    const { dataset } = this.#document.body;
    if (dataset.connection !== facts.connection) dataset.connection = facts.connection;
    this.#announce(facts.connection, note === "" ? title : `${title}. ${note}`, now);
    setText(this.#title, title);
    setText(this.#detail, detail);
    setText(this.#note, note);
    // The button stays while it has the focus, because to hide it would lose the focus.
    this.#retry.hidden = !canRetry && this.#document.activeElement !== this.#retry;
  }

  /** Let the lamp beat once, for a frame that came; without frames it rests. */
  beat() {
    const light = query(this.#document, ".status-light");
    if (this.#beat?.playState === "running" || !canMove(light)) return;
    this.#beat = light.animate(BEAT, { duration: BEAT_MS, easing: "ease-out", pseudoElement: "::after" });
  }

  /**
   * Announce a loss and a return, but not every one of a connection that flaps.
   *
   * @param {string} connection
   * @param {string} text
   * @param {number} now
   */
  #announce(connection, text, now) {
    if (connection === this.#announced || now - this.#announcedAt < MIN_ANNOUNCEMENT_INTERVAL_MS) return;
    // The first connection does not delay the announcement of a loss.
    if (this.#announced !== "connecting") this.#announcedAt = now;
    this.#announced = connection;
    this.#announcement.textContent = text;
  }
}
