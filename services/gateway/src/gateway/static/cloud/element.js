/** `<cloud-pillow>`: see embed.js, which defines it, and docs/embedding.md. */

import { isPillowId, Pillowcast } from "../client/pillowcast.js";
import { cloudSheet, drawCloud, follow, pose, stateColor, stateLabel } from "./cloud.js";
import { ELEMENT_STYLE } from "./element-style.js";
import { feeling } from "./words.js";
import { write } from "./writing.js";

const TICK_MS = 1_000;
const LINGER_MS = 1_000;
const PAGE_WORDS = {
  connecting: "Connecting…",
  "broker-offline": "Broker offline",
  disconnected: "Disconnected",
};

const feeds = new Map();
let home = "";
let sheet;

/** Define the element; `url` is the gateway of those that name none. */
export function define(url) {
  home = url;
  if (customElements.get("cloud-pillow") === undefined) customElements.define("cloud-pillow", CloudPillow);
}

/** One gateway's connection, and the elements that watch it. */
class Feed {
  #url;
  #client = null;
  #elements = new Set();
  #asked = [];
  #isPlanned = false;
  #isDrawing = false;
  #ticking = null;

  constructor(url) {
    this.#url = url;
  }

  static at(url) {
    if (!feeds.has(url)) feeds.set(url, new Feed(url));
    return feeds.get(url);
  }

  join(element) {
    this.#elements.add(element);
    this.#plan();
    this.drawSoon();
  }

  leave(element) {
    this.#elements.delete(element);
    // An element on its way from one place of the page to another leaves and joins at once.
    if (this.#elements.size === 0) setTimeout(() => this.#rest(), LINGER_MS);
  }

  drawSoon() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      for (const element of this.#elements) element.show(this.#client);
    });
  }

  /** All elements that a page adds in one go make one question to the gateway. */
  #plan() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      this.#ask();
    });
  }

  #ask() {
    const pillows = [...new Set([...this.#elements].map((element) => element.pillow))].filter(isPillowId).sort();
    if (pillows.length === 0) return;
    if (this.#client === null) {
      const draw = () => this.drawSoon();
      this.#client = new Pillowcast({ url: this.#url, pillows, onChange: draw, onConnection: draw }).open();
      this.#ticking = setInterval(draw, TICK_MS);
    } else if (pillows.some((id) => !this.#asked.includes(id))) {
      this.#client.subscribe(pillows);
    }
    this.#asked = pillows;
  }

  #rest() {
    if (this.#elements.size > 0) return;
    clearInterval(this.#ticking);
    this.#client?.close();
    this.#client = null;
    this.#asked = [];
  }
}

class CloudPillow extends HTMLElement {
  static observedAttributes = ["pillow", "src", "label"];

  #feed = null;
  #cloud = drawCloud();
  #parts;
  #value = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [cloudSheet(), elementSheet()];
    const part = (name, tag) => {
      const made = document.createElement(tag);
      made.className = name;
      made.setAttribute("part", name);
      return made;
    };
    const figure = part("figure", "figure");
    const caption = part("caption", "figcaption");
    this.#parts = {
      picture: part("picture", "div"),
      label: part("label", "span"),
      state: part("state", "span"),
      when: part("when", "span"),
    };
    caption.append(this.#parts.label, this.#parts.state, this.#parts.when);
    this.#parts.picture.append(this.#cloud);
    figure.append(this.#parts.picture, caption);
    root.append(figure);
  }

  /** Which pillow. */
  get pillow() {
    return this.getAttribute("pillow") ?? "";
  }

  set pillow(id) {
    this.setAttribute("pillow", id);
  }

  /** Its state; `unknown` before the first word. */
  get state() {
    return this.dataset.state ?? "unknown";
  }

  /** How fresh that is: `live`, `quiet`, `notconnected`, `stale` or `unknown`. */
  get fresh() {
    return this.dataset.fresh ?? "unknown";
  }

  /** The whole state as the gateway sent it; null before the first word. */
  get value() {
    return this.#value;
  }

  connectedCallback() {
    this.#join();
  }

  disconnectedCallback() {
    this.#feed?.leave(this);
    this.#feed = null;
  }

  attributeChangedCallback(name, before, now) {
    if (this.#feed === null || before === now) return;
    if (name === "label") this.#feed.drawSoon();
    else this.#join();
  }

  /** Show what a client knows of this pillow; before there is one, nothing is known. */
  show(client) {
    const pillow = client?.pillows.get(this.pillow);
    const fresh = client?.freshness(this.pillow) ?? "unknown";
    const { state, doing, when } = feeling(pillow, fresh, client?.age(this.pillow), stateLabel);
    const picture = pillow === undefined ? "notconnected" : state;
    const isNews = (pillow ?? null) !== this.#value;
    this.#value = pillow ?? null;
    const color = `var(--cloud-pillow-${picture}, ${stateColor(picture)})`;
    pose(this.#cloud, picture, { isStill: fresh === "stale" || fresh === "quiet", color });
    if (isNews && fresh === "live") follow(this.#cloud, pillow?.motion);
    write(this.#parts.label, this.getAttribute("label") ?? this.pillow);
    write(this.#parts.state, doing);
    write(this.#parts.when, [PAGE_WORDS[client?.connection], when].filter(Boolean).join(" · "));
    this.#tell(state, fresh);
  }

  #tell(state, fresh) {
    const previous = this.state;
    if (previous === state && this.fresh === fresh) return;
    this.dataset.state = state;
    this.dataset.fresh = fresh;
    const detail = { pillow: this.pillow, state, previous, fresh, value: this.#value };
    this.dispatchEvent(new CustomEvent("statechange", { detail, bubbles: true, composed: true }));
  }

  #join() {
    const src = this.getAttribute("src");
    const feed = Feed.at(src ? new URL(src, document.baseURI).href : home);
    if (feed !== this.#feed) this.#feed?.leave(this);
    this.#feed = feed;
    feed.join(this);
  }
}

function elementSheet() {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(ELEMENT_STYLE);
  }
  return sheet;
}
