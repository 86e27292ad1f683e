/** The custom element `<cloud-pillow>`. embed.js defines it; docs/embedding.md documents it. */

import { gatewayFolder, parseHttpUrl } from "../client/gateway_url.js";
import { isPillowId } from "../client/pillowcast.js";
import { FORBIDDEN } from "../client/retry_policy.js";
import { createCloud, followMotion, setPose, stateColor, watchSight } from "./cloud.js";
import { CLOUD_STYLE } from "./cloud_style.js";
import { setText } from "./dom.js";
import { ELEMENT_STYLE } from "./element_style.js";
import { elementTexts, languageOf } from "./element_texts.js";
import { describePillow, isStill, knowledgeOf } from "./format.js";
import { cleanLabel } from "./labels.js";
import { SharedClient } from "./shared_client.js";
import { styleSheets } from "./style_sheets.js";

/** @typedef {import("../client/pillowcast.js").Pillowcast} Pillowcast */
/** @typedef {import("./texts.js").Texts} Texts */

/** What an element without a client knows. */
const NOTHING_KNOWN = { fresh: "unknown", ageMs: NaN, isRetained: true };

/** @type {string | undefined} */
let defaultGateway;

/** A server has no elements, but may import this module to render a page that has some. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});

/**
 * Define the element, once; without effect on a server.
 *
 * @param {string} [url] the gateway of elements without `src`; the one that served the page by default
 */
export function define(url) {
  defaultGateway = url;
  const registry = globalThis.customElements;
  if (registry !== undefined && registry.get("cloud-pillow") === undefined) registry.define("cloud-pillow", CloudPillow);
}

export class CloudPillow extends Base {
  static observedAttributes = ["pillow", "src", "label", "lang", "token"];

  /** @type {SharedClient | null} */
  #client = null;
  #cloud = createCloud();
  #parts;
  /** @type {import("../client/frames.js").Pillow | null} */
  #value = null;
  /** The label in the pillow's messages. */
  #told = "";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = styleSheets(this.ownerDocument, [CLOUD_STYLE, ELEMENT_STYLE]);
    const caption = createPart("caption", "figcaption");
    this.#parts = {
      figure: createPart("figure", "figure"),
      placeholder: createPart("placeholder", "slot"),
      picture: createPart("picture", "div"),
      label: createPart("label", "span"),
      state: createPart("state", "span"),
      when: createPart("when", "span"),
    };
    // Names and sentences may have another direction than the embedding page.
    for (const part of [this.#parts.label, this.#parts.state, this.#parts.when]) part.dir = "auto";
    this.#parts.label.translate = false;
    caption.append(this.#parts.label, this.#parts.state, this.#parts.when);
    this.#parts.picture.append(this.#cloud);
    this.#parts.placeholder.addEventListener("slotchange", () => this.#renderPlaceholder());
    this.#parts.figure.append(this.#parts.placeholder, this.#parts.picture, caption);
    root.append(this.#parts.figure);
  }

  /** The id of the pillow that is shown. */
  get pillow() {
    return this.getAttribute("pillow") ?? "";
  }

  set pillow(id) {
    this.setAttribute("pillow", id);
  }

  /** The URL of the gateway; "" for the one that served the script. */
  get src() {
    return this.getAttribute("src") ?? "";
  }

  set src(url) {
    this.setAttribute("src", url);
  }

  /** The token or share link's token for a gateway that asks for one; "" without. */
  get token() {
    return this.getAttribute("token") ?? "";
  }

  set token(text) {
    this.setAttribute("token", text);
  }

  /** The name that is shown: by default what people call the pillow, or its id. */
  get label() {
    return this.getAttribute("label") ?? (this.#told || this.#client?.labels.of(this.pillow) || this.pillow);
  }

  set label(text) {
    this.setAttribute("label", text);
  }

  /** The pillow's state; `unknown` before the first update. */
  get state() {
    return this.dataset.state ?? "unknown";
  }

  /** Freshness of the state: `live`, `quiet`, `notconnected`, `stale` or `unknown`. */
  get fresh() {
    return this.dataset.fresh ?? "unknown";
  }

  /** The whole state as the gateway sent it; null before the first update. */
  get value() {
    return this.#value;
  }

  connectedCallback() {
    // A property that was set before the element was defined hides the accessor: apply it now.
    for (const name of CloudPillow.observedAttributes) {
      if (!Object.hasOwn(this, name)) continue;
      const value = String(Reflect.get(this, name));
      Reflect.deleteProperty(this, name);
      this.setAttribute(name, value);
    }
    this.#connect();
  }

  disconnectedCallback() {
    this.#client?.remove(this);
    this.#client = null;
  }

  /** Style sheets do not move to another document, and out of sight is another thing in another window. */
  adoptedCallback() {
    if (this.shadowRoot !== null) this.shadowRoot.adoptedStyleSheets = styleSheets(this.ownerDocument, [CLOUD_STYLE, ELEMENT_STYLE]);
    watchSight(this.#cloud);
  }

  /** @type {(name: string, before: string | null, after: string | null) => void} */
  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name !== "label" && name !== "lang") this.#connect();
    else this.#scheduleRender();
  }

  /**
   * Render the state of the pillow; without a client the state is unknown.
   *
   * @param {Pillowcast | null} client
   */
  render(client) {
    const pillow = client?.pillows.get(this.pillow);
    const knowledge = client === null ? NOTHING_KNOWN : knowledgeOf(client, this.pillow);
    const { fresh } = knowledge;
    const texts = this.#texts();
    const { state, pose, activity, when } = describePillow(pillow, knowledge, texts);
    const isUpdate = (pillow ?? null) !== this.#value;
    this.#value = pillow ?? null;
    // Of a silent pillow the gateway speaks, which does not repeat its label.
    if (pillow?.state !== "notconnected" || pillow.label !== undefined) this.#told = cleanLabel(pillow?.label);
    const color = `var(--cloud-pillow-${pose}, ${stateColor(pose)})`;
    setPose(this.#cloud, pose, texts, { isStill: isStill(fresh), color });
    if (isUpdate && fresh === "live") followMotion(this.#cloud, pillow?.motion);
    setText(this.#parts.label, this.label);
    setText(this.#parts.state, activity);
    setText(this.#parts.when, this.#attributeError(texts) ?? [connectionText(client, texts), when].filter(Boolean).join(" · "));
    this.#reflect(state, fresh);
  }

  /**
   * Reflect state and freshness as data attributes, and fire `statechange` if one of them changed.
   *
   * @param {string} state
   * @param {string} fresh
   */
  #reflect(state, fresh) {
    const previous = this.state;
    const hasChanged = previous !== state || this.fresh !== fresh;
    if (hasChanged || this.dataset.state === undefined) Object.assign(this.dataset, { state, fresh });
    this.#renderPlaceholder();
    if (!hasChanged) return;
    const detail = { pillow: this.pillow, state, previous, fresh, value: this.#value };
    this.dispatchEvent(new CustomEvent("statechange", { detail, bubbles: true, composed: true }));
  }

  /** What the embedding page puts into the element is shown instead of the cloud until there is a state. */
  #renderPlaceholder() {
    const { figure, placeholder } = this.#parts;
    const nodes = /** @type {HTMLSlotElement} */ (placeholder).assignedNodes();
    const hasContent = nodes.some((node) => node.nodeType === Node.ELEMENT_NODE || node.textContent?.trim());
    figure.classList.toggle("waiting", this.state === "unknown" && hasContent);
  }

  #connect() {
    const url = gatewayUrlOf(this.src);
    const client = url === null ? null : SharedClient.of(url, this.token);
    if (client !== this.#client) this.#client?.remove(this);
    this.#client = client;
    if (client === null) this.render(null);
    else client.add(this);
  }

  /** Render with the next frame; without a client at once. */
  #scheduleRender() {
    if (this.#client === null) this.render(null);
    else this.#client.scheduleRender();
  }

  /** The sentences in the language of this part of the embedding page. */
  #texts() {
    const gateway = defaultGateway ?? gatewayUrlOf(this.src) ?? "";
    return elementTexts(languageOf(this), gateway, () => this.#scheduleRender());
  }

  /** The text for an attribute with an invalid value; null if all are valid. @param {Texts} texts */
  #attributeError(texts) {
    if (this.pillow === "") return texts.format("element.no-pillow");
    if (!isPillowId(this.pillow)) return texts.format("element.bad-pillow");
    return gatewayUrlOf(this.src) === null ? texts.format("element.bad-address", { address: this.src }) : null;
  }
}

/**
 * Create an element that the embedding page can style with `::part(name)`.
 *
 * @param {string} name
 * @param {string} tag
 */
function createPart(name, tag) {
  const element = document.createElement(tag);
  element.className = name;
  element.setAttribute("part", name);
  return element;
}

/**
 * The gateway of an attribute `src`; null if that is not a URL.
 *
 * @param {string} src
 */
function gatewayUrlOf(src) {
  if (src === "") return defaultGateway ?? gatewayFolder(undefined).href;
  return parseHttpUrl(src, document.baseURI)?.href ?? null;
}

/**
 * The text for the state of the connection; undefined while it is live.
 *
 * @param {Pillowcast | null} client
 * @param {Texts} texts
 */
function connectionText(client, texts) {
  const connection = client?.connection ?? "connecting";
  if (client?.status.phase === "stopped") return texts.format(client.status.code === FORBIDDEN ? "element.forbidden" : "element.refused");
  return connection === "live" ? undefined : texts.format(`element.${connection}`);
}
