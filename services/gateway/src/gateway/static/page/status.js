/** The status bar at the top of the page: whether the clouds are live, and why not. */

import { UNAUTHORIZED } from "../client/retry_policy.js";
import { byId, query, setText } from "../cloud/dom.js";
import { canMove } from "../cloud/motion.js";

const NO_TOKEN_IN_TIME = 4408;
/** Minimum time between two announcements of the connection to a screen reader. */
export const MIN_ANNOUNCEMENT_INTERVAL_MS = 10_000;
const BEAT = { transform: ["none", "scale(2.8)"], opacity: [0.55, 0] };
const BEAT_MS = 1_500;

/**
 * @typedef {import("../cloud/texts.js").Texts} Texts
 *
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
 * @param {Texts} texts
 * @returns {{title: string, detail: string, watching?: string, note: string, canRetry: boolean}} `watching` is
 *   on a line of its own, and `note` is hidden, where there is no room for them
 */
export function statusText({ connection, lastingMs, status, count, isRetained, isOffline, watching = null }, texts) {
  const note = count === 0 ? "" : texts.format("status.old");
  switch (connection) {
    case "live":
      return { title: texts.format("status.live"), detail: countText(count, isRetained, texts), watching: watchingText(watching, texts), note: "", canRetry: false };
    case "broker-offline": {
      const detail = texts.format("status.broker-offline-text", { duration: texts.duration(lastingMs) });
      return { title: texts.format("status.broker-offline"), detail, note, canRetry: false };
    }
    case "disconnected":
      if (isLocked(status)) {
        const detail = texts.format("status.private-text", { reason: status.reason });
        return { title: texts.format("status.private"), detail, note: "", canRetry: true };
      }
      return {
        title: texts.format(isOffline ? "status.offline" : "status.disconnected"),
        detail: disconnectedText(status, texts.duration(lastingMs), texts),
        note,
        canRetry: status.phase !== "connecting" && status.phase !== "open",
      };
    default:
      return { title: texts.format("status.connecting"), detail: texts.format("status.connecting-text"), note: "", canRetry: false };
  }
}

/** Whether the gateway shows nothing without a token, or without another one. @param {{phase: string, code: number | null}} status */
export function isLocked({ phase, code }) {
  return phase === "stopped" && (code === UNAUTHORIZED || code === NO_TOKEN_IN_TIME);
}

/** How many look; of nobody, nothing is said. @param {number | null} watching @param {Texts} texts */
const watchingText = (watching, texts) => (watching ? texts.format("status.watching", { count: watching }) : "");

/**
 * @param {number} count number of known clouds
 * @param {boolean} isRetained whether there are no others
 * @param {Texts} texts
 */
function countText(count, isRetained, texts) {
  if (count === 0) return texts.format(isRetained ? "status.no-clouds" : "status.waiting");
  return texts.format(isRetained ? "status.clouds" : "status.clouds-so-far", { count });
}

/**
 * @param {Facts["status"]} status
 * @param {string} duration
 * @param {Texts} texts
 */
function disconnectedText({ phase, retryInMs, reason }, duration, texts) {
  if (phase === "waiting") {
    const wait = texts.duration(Math.max(1, Math.ceil((retryInMs ?? 0) / 1000)) * 1000);
    return texts.format("status.disconnected-waiting", { duration, wait });
  }
  // A visible page has no other reason to wait.
  if (phase === "suspended") return texts.format("status.disconnected-offline", { duration });
  if (phase !== "stopped") return texts.format("status.disconnected-now", { duration });
  return texts.format(reason ? "status.disconnected-stopped" : "status.disconnected-refused", { duration, reason });
}

export class StatusBar {
  /** @type {Animation | undefined} */
  #beat;
  /** When the frame came for which the lamp beat last. @type {number | null} */
  #beatFor = null;
  #announced = "connecting";
  #announcedAt = -Infinity;
  #document;
  #title;
  #detail;
  #watching;
  #note;
  #retry;
  #announcement;
  #texts;

  /**
   * @param {Document} document
   * @param {Texts} texts
   * @param {() => void} onRetry called when the button is clicked
   */
  constructor(document, texts, onRetry) {
    this.#texts = texts;
    this.#document = document;
    this.#title = byId(document, "status-title");
    this.#detail = byId(document, "status-detail");
    this.#watching = byId(document, "status-watching");
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
    const { title, detail, watching = "", note, canRetry } = statusText(facts, this.#texts);
    const { dataset } = this.#document.body;
    if (dataset.connection !== facts.connection) dataset.connection = facts.connection;
    const announcement = note === "" ? title : this.#texts.format(`status.${facts.connection}-announced`);
    this.#announce(facts.connection, announcement, now);
    setText(this.#title, title);
    setText(this.#detail, detail);
    setText(this.#watching, watching);
    setText(this.#note, note);
    // The button stays while it has the focus, because to hide it would lose the focus.
    this.#retry.hidden = !canRetry && this.#document.activeElement !== this.#retry;
  }

  /**
   * Let the lamp beat once for the newest frame, unless it beats; without frames it rests.
   *
   * @param {number | null} receivedAt when the frame came; null before the first
   */
  beat(receivedAt) {
    if (receivedAt === this.#beatFor) return;
    this.#beatFor = receivedAt;
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
