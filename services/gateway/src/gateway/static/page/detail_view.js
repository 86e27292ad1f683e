/** The detail view of one pillow: a large cloud, facts, and the past states to move along. */

import { createCloud, followMotion, setPose, stateColor } from "../cloud/cloud.js";
import { byId, setText } from "../cloud/dom.js";
import { clockSentences, describePillow, isOutdated, isStill, knowledgeOf } from "../cloud/format.js";
import { Battery } from "./battery.js";
import { gatewayFolder } from "./gateway_folder.js";
import { fetchHistory } from "./history.js";
import { HistoryStrip, TO_THE_SECOND } from "./history_strip.js";
import { Timeline } from "./timeline.js";

/** The history strip spans at least this time. */
const MIN_SPAN_MS = 60_000;
/** How much of the past is fetched: a pillow has an hour in four pages or so. */
const FETCHED_MS = 3_600_000;

/** @typedef {import("../client/frames.js").Pillow} Pillow */

export class DetailView {
  /** The pillow that is shown; null while the view is closed. @type {string | null} */
  id = null;
  #document;
  #client;
  #counts;
  #texts;
  /** @type {HTMLElement} */
  #element;
  /** Created when the view is first opened. @type {HTMLElement | undefined} */
  #cloud;
  #battery;
  #strip;
  /** @type {HTMLSelectElement} */
  #span;
  /** Intervals in which the gateway had no broker, so that states were missed. @type {import("./timeline.js").Interval[]} */
  #gaps = [];
  /** When the broker was lost; null while it is there. @type {number | null} */
  #brokerLostAt = null;
  #timeline = new Timeline(this.#gaps);
  /** The past time that is shown; null for now. @type {number | null} */
  #selected = null;
  #hasStateChanged = false;
  /** The state that was rendered last. @type {Pillow | undefined} */
  #pillow;
  /** @type {AbortController | null} */
  #loading = null;
  /** Whether past states may be missing, so that the history must be fetched. */
  #needsHistory = false;

  /**
   * @param {Document} document
   * @param {import("../client/session.js").Session} client
   * @param {import("./gesture_counts.js").GestureCounts} counts
   * @param {import("../cloud/texts.js").Texts} texts
   */
  constructor(document, client, counts, texts) {
    this.#texts = texts;
    this.#battery = new Battery(texts);
    this.#document = document;
    this.#client = client;
    this.#counts = counts;
    this.#element = byId(document, "detail");
    this.#span = byId(document, "history-span");
    this.#strip = new HistoryStrip(document, texts, (time) => this.#select(time));
    byId(document, "detail-battery").append(this.#battery.element);
    this.#span.addEventListener("change", () => this.render());
    byId(document, "back-to-now").addEventListener("click", () => {
      this.#select(null);
      byId(document, "history-slider").focus();
    });
  }

  /** Show a pillow; null closes the view. @param {string | null} id */
  open(id) {
    if (id === this.id) return;
    this.id = id;
    this.#element.hidden = id === null;
    this.#loading?.abort();
    this.#timeline = new Timeline(this.#gaps);
    this.#selected = null;
    this.#strip.clearSelection();
    this.#pillow = undefined;
    delete this.#element.dataset.state;
    if (id === null) {
      delete this.#element.dataset.pillow;
      return;
    }
    if (this.#cloud === undefined) byId(this.#document, "detail-picture").append((this.#cloud = createCloud()));
    this.#element.dataset.pillow = id;
    setText(byId(this.#document, "detail-name"), id);
    this.#needsHistory = true;
    this.render();
    this.#hasStateChanged = false;
  }

  /** @param {{connection: string, since: number}} detail of the client's event */
  onConnection({ connection, since }) {
    if (connection === "live") this.#needsHistory = true;
    // It is fetched again once it is live.
    if (connection === "disconnected") this.#loading?.abort();
    if (this.#brokerLostAt !== null && connection === "live") {
      this.#gaps.push({ from: this.#brokerLostAt, to: since + this.#clockOffsetMs });
      this.#brokerLostAt = null;
    } else if (connection === "broker-offline") {
      this.#brokerLostAt ??= since + this.#clockOffsetMs;
    }
  }

  /** Add a new state of the pillow to its past. @param {Pillow} pillow */
  add(pillow) {
    this.#timeline.add(pillow);
  }

  /** Whether the pillow's state has changed since the last call. */
  takeStateChange() {
    const hasChanged = this.#hasStateChanged;
    this.#hasStateChanged = false;
    return hasChanged;
  }

  /** Show the current state, or that of the selected time. */
  render() {
    if (this.id === null || this.#cloud === undefined) return;
    const client = this.#client;
    const pillow = client.pillows.get(this.id);
    // The gateway has no history of a pillow without a state.
    if (this.#needsHistory && pillow !== undefined && client.connection === "live") {
      this.#needsHistory = false;
      this.#loadHistory();
    }
    const isNow = this.#selected === null;
    const knowledge = knowledgeOf(client, this.id);
    const { fresh } = knowledge;
    const { state, pose, activity, when } = this.#selected === null ? describePillow(pillow, knowledge, this.#texts) : this.#describePast(this.#selected);
    const hasChanged = this.#element.dataset.state !== state;
    if (hasChanged) {
      this.#element.dataset.state = state;
      this.#element.style.setProperty("--state", stateColor(pose));
    }
    this.#element.dataset.fresh = isNow ? fresh : "past";
    setPose(this.#cloud, pose, this.#texts, { isStill: isNow && isStill(fresh) });
    if (this.#pillow !== undefined && this.#pillow !== pillow && fresh === "live" && isNow) followMotion(this.#cloud, pillow?.motion);
    if (pillow !== undefined) this.#timeline.add(pillow);
    this.#pillow = pillow;
    setText(byId(this.#document, "detail-state"), activity);
    setText(byId(this.#document, "detail-when"), when);
    setText(byId(this.#document, "detail-clock"), isNow ? clockSentences(pillow, fresh, this.#texts) : "");
    byId(this.#document, "back-to-now").hidden = isNow;
    this.#renderFacts(pillow);
    this.#renderStrip(isOutdated(pillow, fresh));
    if (hasChanged && isNow) this.#hasStateChanged = true;
  }

  /** Fetch the past states and show them. */
  async #loadHistory() {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    const from = new Date(this.#client.now() - FETCHED_MS).toISOString();
    const url = new URL(`api/pillows/${this.id}/history?from=${from}`, gatewayFolder(new URL(this.#document.baseURI)));
    const states = await fetchHistory(url, signal);
    if (signal.aborted) return;
    for (const state of states) this.#timeline.add(state);
    this.render();
  }

  get #clockOffsetMs() {
    return this.#client.clockOffsetMs ?? 0;
  }

  /** @param {number | null} time */
  #select(time) {
    this.#selected = time;
    if (time === null) this.#strip.clearSelection();
    this.render();
  }

  /** @param {number} time */
  #describePast(time) {
    const { state = "unknown" } = this.#timeline.at(time) ?? {};
    const isKnown = state !== "unknown";
    const clockTime = this.#texts.time(time - this.#clockOffsetMs, TO_THE_SECOND);
    const when = this.#texts.format("detail.past", { time: clockTime, age: this.#texts.age(this.#client.now() - time) });
    const activity = isKnown ? this.#texts.state(state) : this.#texts.format("history.unknown");
    return { state, pose: isKnown ? state : "notconnected", activity, when };
  }

  /** @param {Pillow | undefined} pillow */
  #renderFacts(pillow) {
    const { hugging, punching } = this.#counts.of(this.id ?? "");
    setText(byId(this.#document, "hug-count"), this.#texts.number(hugging));
    setText(byId(this.#document, "punch-count"), this.#texts.number(punching));
    const confidence = pillow?.state === "notconnected" ? "" : this.#texts.percent(pillow?.confidence);
    byId(this.#document, "confidence-fact").hidden = confidence === "";
    setText(byId(this.#document, "detail-confidence"), confidence);
    this.#battery.render(pillow);
    byId(this.#document, "battery-fact").hidden = this.#battery.element.hidden;
  }

  /** @param {boolean} hasOutdatedState whether the newest known state may have ended */
  #renderStrip(hasOutdatedState) {
    const to = this.#client.now();
    const start = this.#timeline.start;
    const chosenMs = Number(this.#span.value) || Infinity;
    const knownMs = Number.isNaN(start) ? 0 : to - start;
    const from = to - Math.max(MIN_SPAN_MS, Math.min(chosenMs, knownMs));
    const isLive = this.#client.connection === "live";
    const liveUntil = isLive ? to : this.#client.since + this.#clockOffsetMs;
    const knownUntil = hasOutdatedState ? to - this.#client.age(this.id ?? "") : liveUntil;
    this.#strip.render(this.#timeline, { from, to, knownUntil, clockOffsetMs: this.#clockOffsetMs });
  }
}
