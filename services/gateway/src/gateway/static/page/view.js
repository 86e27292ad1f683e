/** A pillow's own view: its cloud at large, its last states to move along, and what is known of it. */

import { drawCloud, follow, pose, stateColor, stateLabel } from "../cloud/cloud.js";
import { age, feeling, isStill, percent } from "../cloud/words.js";
import { write } from "../cloud/writing.js";
import { Battery } from "./card.js";
import { historyOf } from "./history.js";
import { clockTime, Strip } from "./strip.js";
import { Timeline } from "./timeline.js";

const LEAST_SPAN_MS = 60_000;

const byId = (id) => document.getElementById(id);

export class View {
  id = null;
  #element = byId("view");
  /** Drawn when a pillow is looked at first. @type {HTMLElement | undefined} */
  #cloud;
  #battery = new Battery();
  #strip = new Strip((then) => this.#scrub(then));
  /** When the gateway had lost its broker: what the clouds did then was not heard. */
  #gaps = [];
  #lostAt = null;
  #timeline = new Timeline(this.#gaps);
  #then = null;
  #hasTurned = false;
  #pillow;
  #client;
  #counts;
  #loading = null;
  /** There may be states before now that were not heard. */
  #isBehind = false;

  /**
   * @param {import("../client/pillowcast.js").Pillowcast} client
   * @param {import("./counts.js").Counts} counts
   */
  constructor(client, counts) {
    this.#client = client;
    this.#counts = counts;
    byId("view-battery").append(this.#battery.element);
    byId("span").addEventListener("change", () => this.show());
    byId("now").addEventListener("click", () => {
      this.#scrub(null);
      byId("scrub").focus();
    });
  }

  /** Look at a pillow; null for none. */
  open(id) {
    if (id === this.id) return;
    this.id = id;
    this.#element.hidden = id === null;
    this.#loading?.abort();
    this.#timeline = new Timeline(this.#gaps);
    this.#then = null;
    this.#strip.release();
    this.#pillow = undefined;
    delete this.#element.dataset.state;
    if (id === null) {
      delete this.#element.dataset.pillow;
      return;
    }
    if (this.#cloud === undefined) byId("view-picture").append((this.#cloud = drawCloud()));
    this.#element.dataset.pillow = id;
    write(byId("view-name"), id);
    this.#isBehind = true;
    this.show();
    this.#hasTurned = false;
  }

  /** Ask for the states before now. */
  async #load() {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    const states = await historyOf(new URL(`api/pillows/${this.id}/history`, document.baseURI), signal);
    if (signal.aborted) return;
    for (const state of states) this.#timeline.add(state);
    this.show();
  }

  /** Whether anything can be heard has changed. @param {{connection: string, since: number}} how */
  hear({ connection, since }) {
    if (connection === "live") this.#isBehind = true;
    if (connection === "disconnected") this.#loading?.abort(); // asked for anew when it is back
    if (this.#lostAt !== null && connection === "live") {
      this.#gaps.push({ from: this.#lostAt, to: since + this.#offset });
      this.#lostAt = null;
    } else if (connection === "broker-offline") {
      this.#lostAt ??= since + this.#offset;
    }
  }

  /** Take in a state of this pillow. */
  add(pillow) {
    this.#timeline.add(pillow);
  }

  /** Say whether it does another thing than when this was last asked, whoever had that shown. */
  takeTurn() {
    const hasTurned = this.#hasTurned;
    this.#hasTurned = false;
    return hasTurned;
  }

  show() {
    if (this.id === null) return;
    const client = this.#client;
    const pillow = client.pillows.get(this.id);
    // Of a pillow not heard of yet there is no history.
    if (this.#isBehind && pillow !== undefined && client.connection === "live") {
      this.#isBehind = false;
      this.#load();
    }
    const fresh = client.freshness(this.id);
    const now = feeling(pillow, fresh, client.age(this.id), stateLabel);
    const moment = this.#then === null ? null : this.#timeline.at(this.#then);
    const shown = this.#then === null ? now : thenWords(moment);
    const hasTurned = this.#element.dataset.state !== shown.state;
    const picture = shown.state === "unknown" ? "notconnected" : shown.state;
    if (hasTurned) {
      this.#element.dataset.state = shown.state;
      this.#element.style.setProperty("--state", stateColor(picture));
    }
    this.#element.dataset.fresh = this.#then === null ? fresh : "then";
    pose(this.#cloud, picture, { isStill: this.#then === null && isStill(fresh) });
    if (this.#pillow !== undefined && this.#pillow !== pillow && fresh === "live" && this.#then === null) {
      follow(this.#cloud, pillow?.motion);
    }
    if (pillow !== undefined) this.#timeline.add(pillow);
    this.#pillow = pillow;
    write(byId("view-state"), shown.doing);
    write(byId("view-when"), this.#then === null ? shown.note + shown.when : `${clockTime(this.#then, this.#offset)}, ${age(client.now() - this.#then)}`);
    byId("now").hidden = this.#then === null;
    this.#showFacts(pillow);
    this.#showStrip();
    if (hasTurned && this.#then === null) this.#hasTurned = true;
  }

  get #offset() {
    return this.#client.clockOffsetMs ?? 0;
  }

  #scrub(then) {
    this.#then = then;
    if (then === null) this.#strip.release();
    this.show();
  }

  #showFacts(pillow) {
    const { hugging, punching } = this.#counts.of(this.id);
    write(byId("hugs"), String(hugging));
    write(byId("punches"), String(punching));
    const confidence = pillow?.state === "notconnected" ? "" : percent(pillow?.confidence);
    byId("fact-confidence").hidden = confidence === "";
    write(byId("view-confidence"), confidence);
    this.#battery.show(pillow);
    byId("fact-battery").hidden = this.#battery.element.hidden;
  }

  #showStrip() {
    const to = this.#client.now();
    const begin = this.#timeline.begin;
    const chosen = Number(byId("span").value) || Infinity;
    const known = Number.isNaN(begin) ? 0 : to - begin;
    const from = to - Math.max(LEAST_SPAN_MS, Math.min(chosen, known));
    const isLive = this.#client.connection === "live";
    const knownUntil = isLive ? to : this.#client.since + this.#offset;
    this.#strip.show(this.#timeline, { from, to, knownUntil, offset: this.#offset });
  }
}

/** A moment of the past in words. */
function thenWords(moment) {
  return moment === null ? { state: "unknown", doing: "Not known" } : { state: moment.state, doing: stateLabel(moment.state) };
}
