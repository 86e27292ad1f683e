/** One client for all elements of a document that show pillows of the same gateway. */

import { nameable } from "../client/options.js";
import { isPillowId, Pillowcast } from "../client/pillowcast.js";

/** Ages are rendered anew this often. */
const TICK_MS = 1_000;
/** A client without elements is closed after this time. */
const CLOSE_AFTER_MS = 1_000;

/** @typedef {{pillow: string, render(client: Pillowcast | null): void}} ClientView an element */

/** @type {Map<string, SharedClient>} */
const clients = new Map();

export class SharedClient {
  #url;
  #token;
  /** @type {Pillowcast | null} */
  #client = null;
  /** @type {Set<ClientView>} */
  #elements = new Set();
  /** @type {string[]} */
  #subscribed = [];
  #isSubscribePending = false;
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
    // With a delay, because an element that is moved within the document is removed and added again.
    if (this.#elements.size === 0) setTimeout(() => this.#closeIfUnused(), CLOSE_AFTER_MS);
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

  #subscribe() {
    const pillows = [...new Set([...this.#elements].map((element) => element.pillow))].filter(isPillowId).sort();
    if (pillows.length === 0) return;
    if (this.#client === null) {
      this.#open(pillows);
    } else if (pillows.some((id) => !this.#subscribed.includes(id))) {
      this.#client.subscribe(nameable(pillows));
    }
    this.#subscribed = pillows;
  }

  /** @param {string[]} pillows */
  #open(pillows) {
    const render = () => this.scheduleRender();
    const onConnection = () => {
      render();
      this.#warnIfRefused();
    };
    this.#client = new Pillowcast({ url: this.#url, token: this.#token || undefined, pillows: nameable(pillows), onChange: render, onConnection }).open();
    this.#ticker = setInterval(render, TICK_MS);
  }

  /** Log the gateway's reason for the site's author; a visitor sees only that it refused. */
  #warnIfRefused() {
    const { phase, code, reason } = this.#client?.status ?? {};
    if (phase === "stopped") console.warn(`<cloud-pillow>: ${this.#url} refused (${code ?? "no code"}): ${reason}`);
  }

  #closeIfUnused() {
    if (this.#elements.size > 0) return;
    clearInterval(this.#ticker);
    this.#client?.close();
    this.#client = null;
    this.#subscribed = [];
  }
}
