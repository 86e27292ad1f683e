/**
 * `<cloud-pillow>`: one live cloud in any page.
 *
 *     <script type="module" src="https://pillows.example/embed.js"></script>
 *     <cloud-pillow pillow="cloud-1" label="Grandma's pillow"></cloud-pillow>
 *
 * - `pillow`: which one
 * - `src`: the gateway, as `https://host/`; the one this script came from
 * - `label`: another name for it; empty for none
 *
 * The element carries `data-state` and `data-fresh`, and its parts `picture`, `label`, `state`
 * and `when` can be styled from outside.  All elements of a page share one connection to each
 * gateway.
 */

import { cloudSheet, drawCloud, pose, stateColor, stateLabel } from "./cloud.js";
import { EMBED_STYLE } from "./embed-style.js";
import { isPillowId } from "./frames.js";
import { Pillowcast } from "./pillowcast.js";
import { feeling } from "./words.js";
import { write } from "./writing.js";

const TICK_MS = 1_000;
const LINGER_MS = 1_000;
const HOME = new URL(".", import.meta.url).href;
const PAGE_WORDS = {
  connecting: "Connecting…",
  "broker-offline": "Broker offline",
  disconnected: "Disconnected",
};

const feeds = new Map();
let sheet;

/** One gateway's connection, and the elements that watch it. */
class Feed {
  #url;
  #client = null;
  #elements = new Set();
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
      this.#client = new Pillowcast({ url: this.#url, pillows, onChange: draw, onConnection: draw });
      this.#client.open();
      this.#ticking = setInterval(draw, TICK_MS);
    } else if (pillows.some((id) => !this.#asked.includes(id))) {
      this.#client.subscribe(pillows);
    }
    this.#asked = pillows;
  }

  #asked = [];

  #rest() {
    if (this.#elements.size > 0) return;
    clearInterval(this.#ticking);
    this.#client?.close();
    this.#client = null;
  }
}

class CloudPillow extends HTMLElement {
  static observedAttributes = ["pillow", "src", "label"];

  #feed = null;
  #cloud = drawCloud();
  #parts;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [cloudSheet(), embedSheet()];
    const figure = document.createElement("figure");
    this.#parts = Object.fromEntries(
      ["picture", "label", "state", "when"].map((name) => {
        const part = document.createElement(name === "picture" ? "div" : "span");
        part.className = name;
        part.setAttribute("part", name);
        return [name, part];
      }),
    );
    const caption = document.createElement("figcaption");
    caption.append(this.#parts.label, this.#parts.state, this.#parts.when);
    this.#parts.picture.append(this.#cloud);
    figure.append(this.#parts.picture, caption);
    root.append(figure);
  }

  get pillow() {
    return this.getAttribute("pillow") ?? "";
  }

  connectedCallback() {
    this.#join();
  }

  disconnectedCallback() {
    this.#feed?.leave(this);
    this.#feed = null;
  }

  attributeChangedCallback(name) {
    if (this.#feed === null) return;
    if (name === "label") this.#feed.drawSoon();
    else this.#join();
  }

  /** Show what a client knows of this pillow; before there is one, nothing is known. */
  show(client) {
    const pillow = client?.pillows.get(this.pillow);
    const fresh = client?.freshness(this.pillow) ?? "unknown";
    const { state, doing, when } = feeling(pillow, fresh, client?.age(this.pillow), stateLabel);
    const picture = pillow === undefined ? "notconnected" : state;
    this.dataset.state = state;
    this.dataset.fresh = fresh;
    this.#parts.picture.style.setProperty("--state", stateColor(picture));
    this.#parts.picture.classList.toggle("still", fresh === "stale" || fresh === "quiet");
    pose(this.#cloud, picture);
    write(this.#parts.label, this.getAttribute("label") ?? this.pillow);
    write(this.#parts.state, doing);
    write(this.#parts.when, [PAGE_WORDS[client?.connection], when].filter(Boolean).join(" · "));
  }

  #join() {
    const src = this.getAttribute("src");
    const feed = Feed.at(src ? new URL(src, document.baseURI).href : HOME);
    if (feed !== this.#feed) this.#feed?.leave(this);
    this.#feed = feed;
    feed.join(this);
  }
}

function embedSheet() {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(EMBED_STYLE);
  }
  return sheet;
}

customElements.define("cloud-pillow", CloudPillow);
