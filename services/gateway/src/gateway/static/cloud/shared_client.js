/**
 * One client for all elements of a document that show pillows of the same gateway. It shares its connection
 * with the document's other clients.
 */

import { nameable } from "../client/options.js";
import { connect, isPillowId } from "../client/pillowcast.js";
import { fetchLabels, Labels } from "./labels.js";

/** Ages are rendered anew this often. */
const TICK_MS = 1_000;
/** Pillows of removed elements are given up after this time, because an element may only be moved. */
const GIVE_UP_AFTER_MS = 1_000;

/** @typedef {import("../client/pillowcast.js").Pillowcast} Pillowcast */
/** @typedef {{pillow: string, render(client: Pillowcast | null): void}} ClientView an element */

/** @type {Map<string, SharedClient>} */
const clients = new Map();

export class SharedClient {
  /** What people call the pillows, by the gateway's file. */
  labels = new Labels();
  #areLabelsAsked = false;
  #url;
  #token;
  /** @type {Pillowcast | null} */
  #client = null;
  /** @type {Set<ClientView>} */
  #elements = new Set();
  /** @type {string[]} */
  #subscribed = [];
  #isSubscribePending = false;
  #isGivingUp = false;
  #isRenderPending = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;

  /**
   * @param {string} url
   * @param {string} token "" without one
   */
  constructor(url, token) {
    this.#url = url;
    this.#token = token;
  }

  /**
   * Return the client of a gateway for a token; it is created on first use.
   *
   * @param {string} url
   * @param {string} token "" without one
   */
  static of(url, token) {
    const key = `${url} ${token}`;
    const client = clients.get(key) ?? new SharedClient(url, token);
    clients.set(key, client);
    return client;
  }

  /** Subscribe to an element's pillow, also after that has changed. @param {ClientView} element */
  add(element) {
    this.#elements.add(element);
    this.#scheduleSubscribe();
    this.scheduleRender();
  }

  /** @param {ClientView} element */
  remove(element) {
    this.#elements.delete(element);
    this.#scheduleGiveUp();
  }

  /** Render all elements with the next frame. */
  scheduleRender() {
    if (this.#isRenderPending) return;
    this.#isRenderPending = true;
    requestAnimationFrame(() => {
      this.#isRenderPending = false;
      for (const element of this.#elements) element.render(this.#client);
    });
  }

  /** Subscribe once for all elements that are added in the same task. */
  #scheduleSubscribe() {
    if (this.#isSubscribePending) return;
    this.#isSubscribePending = true;
    queueMicrotask(() => {
      this.#isSubscribePending = false;
      this.#subscribe();
    });
  }

  /** The valid ids of the elements' pillows, each once. */
  get #pillows() {
    return [...new Set([...this.#elements].map((element) => element.pillow))].filter(isPillowId).sort();
  }

  #subscribe() {
    const pillows = this.#pillows;
    if (pillows.every((id) => this.#subscribed.includes(id))) {
      // An element may have had another pillow.
      this.#scheduleGiveUp();
      return;
    }
    this.#subscribed = pillows;
    if (this.#client === null) this.#open(pillows);
    else this.#client.subscribe(nameable(pillows));
  }

  #scheduleGiveUp() {
    if (this.#isGivingUp) return;
    this.#isGivingUp = true;
    setTimeout(() => {
      this.#isGivingUp = false;
      this.#giveUp();
    }, GIVE_UP_AFTER_MS);
  }

  /** Unsubscribe from what no element shows any more, and close if none shows anything. */
  #giveUp() {
    const pillows = this.#pillows;
    if (pillows.length === 0) {
      this.#close();
    } else if (pillows.length < this.#subscribed.length) {
      this.#subscribed = pillows;
      this.#client?.subscribe(nameable(pillows));
    }
  }

  async #askForLabels() {
    if (this.#areLabelsAsked) return;
    this.#areLabelsAsked = true;
    const found = await fetchLabels(new URL("./", this.#url), this.#token);
    if (found === null) return;
    this.labels.file(found);
    this.scheduleRender();
  }

  /** @param {string[]} pillows */
  #open(pillows) {
    const render = () => this.scheduleRender();
    const onConnection = () => {
      render();
      this.#warnIfRefused();
      // A site that is refused asks for nothing else.
      if (this.#client?.connection === "live") this.#askForLabels();
    };
    this.#client = connect({ url: this.#url, token: this.#token || undefined, pillows: nameable(pillows), onChange: render, onConnection });
    this.#ticker = setInterval(render, TICK_MS);
  }

  /** Log the gateway's reason for the site's author; a visitor sees only that it refused. */
  #warnIfRefused() {
    const { phase, code, reason } = this.#client?.status ?? {};
    if (phase === "stopped") console.warn(`<cloud-pillow>: ${this.#url} refused (${code ?? "no code"}): ${reason}`);
  }

  #close() {
    clearInterval(this.#ticker);
    this.#client?.close();
    this.#client = null;
    this.#subscribed = [];
  }
}
