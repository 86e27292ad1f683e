/** `<cloud-pillow>`: see embed.js, which defines it, and docs/embedding.md. */

import { webAddress } from "../client/address.js";
import { isPillowId, Pillowcast } from "../client/pillowcast.js";
import { cloudSheet, drawCloud, follow, pose, stateColor, stateLabel } from "./cloud.js";
import { ELEMENT_STYLE } from "./element-style.js";
import { feeling, isStill } from "./words.js";
import { write } from "./writing.js";

const TICK_MS = 1_000;
const LINGER_MS = 1_000;
/** @type {Record<string, string>} */
const PAGE_WORDS = {
  connecting: "Connecting…",
  "broker-offline": "Broker offline",
  disconnected: "Disconnected",
  refused: "Refused",
  forbidden: "Not allowed on this site",
};
const FORBIDDEN = 4403;

/** @type {Map<string, Feed>} */
const feeds = new Map();
let home = "";
/** @type {CSSStyleSheet | undefined} */
let sheet;

/** Define the element; `url` is the gateway of those that name none. @param {string} url */
export function define(url) {
  home = url;
  if (customElements.get("cloud-pillow") === undefined) customElements.define("cloud-pillow", CloudPillow);
}

/** One gateway's connection, and the elements that watch it. */
class Feed {
  #url;
  /** @type {Pillowcast | null} */
  #client = null;
  /** @type {Set<CloudPillow>} */
  #elements = new Set();
  /** @type {string[]} */
  #asked = [];
  #isPlanned = false;
  #isDrawing = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /** @param {string} url */
  static at(url) {
    const feed = feeds.get(url) ?? new Feed(url);
    feeds.set(url, feed);
    return feed;
  }

  /** @param {CloudPillow} element */
  join(element) {
    this.#elements.add(element);
    this.#plan();
    this.drawSoon();
  }

  /** @param {CloudPillow} element */
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
      const onConnection = () => {
        draw();
        this.#warn();
      };
      this.#client = new Pillowcast({ url: this.#url, pillows, onChange: draw, onConnection }).open();
      this.#ticking = setInterval(draw, TICK_MS);
    } else if (pillows.some((id) => !this.#asked.includes(id))) {
      this.#client.subscribe(pillows);
    }
    this.#asked = pillows;
  }

  /** Why a gateway refused is for who made the page; a visitor sees that it did. */
  #warn() {
    const { phase, code, reason } = this.#client?.status ?? {};
    if (phase === "stopped") console.warn(`<cloud-pillow>: ${this.#url} refused (${code ?? "no code"}): ${reason}`);
  }

  #rest() {
    if (this.#elements.size > 0) return;
    clearInterval(this.#ticking);
    this.#client?.close();
    this.#client = null;
    this.#asked = [];
  }
}

/** One cloud. */
class CloudPillow extends HTMLElement {
  static observedAttributes = ["pillow", "src", "label"];

  /** @type {Feed | null} */
  #feed = null;
  #cloud = drawCloud();
  #parts;
  /** @type {import("../client/frames.js").Pillow | null} */
  #value = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [cloudSheet(), elementSheet()];
    /** @type {(name: string, tag: string) => HTMLElement} */
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

  /** The gateway; "" for the one that the script came from. */
  get src() {
    return this.getAttribute("src") ?? "";
  }

  set src(url) {
    this.setAttribute("src", url);
  }

  /** What it is called. */
  get label() {
    return this.getAttribute("label") ?? this.pillow;
  }

  set label(text) {
    this.setAttribute("label", text);
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
    // What was said to the element before this script was there.
    for (const name of CloudPillow.observedAttributes) {
      if (!Object.hasOwn(this, name)) continue;
      const said = String(Reflect.get(this, name));
      Reflect.deleteProperty(this, name);
      this.setAttribute(name, said);
    }
    this.#join();
  }

  disconnectedCallback() {
    this.#feed?.leave(this);
    this.#feed = null;
  }

  /** @type {(name: string, before: string | null, now: string | null) => void} */
  attributeChangedCallback(name, before, now) {
    if (!this.isConnected || before === now) return;
    if (name === "label") this.#feed?.drawSoon();
    else this.#join();
  }

  /**
   * Show what a client knows of this pillow; before there is one, nothing is known.
   *
   * @param {Pillowcast | null} client
   */
  show(client) {
    const pillow = client?.pillows.get(this.pillow);
    const fresh = client?.freshness(this.pillow) ?? "unknown";
    const { state, doing, note, when } = feeling(pillow, fresh, client?.age(this.pillow) ?? NaN, stateLabel);
    const picture = pillow === undefined ? "notconnected" : state;
    const isNews = (pillow ?? null) !== this.#value;
    this.#value = pillow ?? null;
    const color = `var(--cloud-pillow-${picture}, ${stateColor(picture)})`;
    pose(this.#cloud, picture, { isStill: isStill(fresh), color });
    if (isNews && fresh === "live") follow(this.#cloud, pillow?.motion);
    write(this.#parts.label, this.label);
    write(this.#parts.state, doing);
    write(this.#parts.when, this.#wrong() ?? [pageWords(client), note + when].filter(Boolean).join(" · "));
    this.#tell(state, fresh);
  }

  /**
   * @param {string} state
   * @param {string} fresh
   */
  #tell(state, fresh) {
    const previous = this.state;
    const isNews = previous !== state || this.fresh !== fresh;
    if (isNews || this.dataset.state === undefined) Object.assign(this.dataset, { state, fresh });
    if (!isNews) return;
    const detail = { pillow: this.pillow, state, previous, fresh, value: this.#value };
    this.dispatchEvent(new CustomEvent("statechange", { detail, bubbles: true, composed: true }));
  }

  #join() {
    const url = gatewayOf(this.src);
    const feed = url === null ? null : Feed.at(url);
    if (feed !== this.#feed) this.#feed?.leave(this);
    this.#feed = feed;
    if (feed === null) this.show(null);
    else feed.join(this);
  }

  /** What is wrong with what its page says, in words. */
  #wrong() {
    if (this.pillow === "") return "no pillow is named";
    if (!isPillowId(this.pillow)) return "this is no pillow's id";
    return gatewayOf(this.src) === null ? `${this.src} is no address` : null;
  }
}

/**
 * The gateway that an element names; null when it is no address.
 *
 * @param {string} src
 */
function gatewayOf(src) {
  return src === "" ? home : (webAddress(src, document.baseURI)?.href ?? null);
}

/**
 * What is to be said of the connection; nothing while it is live.
 *
 * @param {Pillowcast | null} client
 */
function pageWords(client) {
  if (client?.status.phase !== "stopped") return PAGE_WORDS[client?.connection ?? "connecting"];
  return PAGE_WORDS[client.status.code === FORBIDDEN ? "forbidden" : "refused"];
}

function elementSheet() {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(ELEMENT_STYLE);
  }
  return sheet;
}
