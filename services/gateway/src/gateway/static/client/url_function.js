/** The option `url` as a function: it is called for each connection, so that a program can move to another gateway. */

import { gatewayFolder } from "./gateway_url.js";

/** In place of the gateway's URL, until the function gives that; the name is reserved for no host. */
const PLACEHOLDER = "https://url.invalid/";
/** The `readyState` of a socket that is not open yet. */
const CONNECTING = 0;

/** @typedef {() => string | URL | Promise<string | URL>} UrlFunction */
/** @typedef {import("./options.js").AllOptions} AllOptions */
/** @typedef {import("./sockets.js").SocketClass} SocketClass */
/** @typedef {import("./sockets.js").SocketLike} SocketLike */

/** The options of a session, whose `url` is a text. @param {AllOptions} options @returns {AllOptions} */
export function withUrl(options) {
  const { url } = options;
  if (typeof url !== "function") return options;
  const own = /** @type {SocketClass | null | undefined} */ (options.WebSocket === undefined ? globalThis.WebSocket : options.WebSocket);
  const fetch = options.fetch ?? globalThis.fetch?.bind(globalThis);
  return {
    ...options,
    url: PLACEHOLDER,
    WebSocket: own ? socketClass(own, url) : null,
    fetch: fetch && (async (address, init) => fetch(await addressAt(url, String(address)), init)),
  };
}

/**
 * The address of a stream at the gateway that the function names now.
 *
 * @param {UrlFunction} url
 * @param {string} address at the placeholder
 */
async function addressAt(url, address) {
  let found;
  try {
    found = await url();
  } catch (error) {
    throw new Error(`no url: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof (/** @type {any} */ (found)?.href ?? found) !== "string") throw new TypeError(`url() returned ${found}: return the URL of the gateway`);
  const { pathname, search, protocol } = new URL(address);
  const stream = new URL(`${pathname.slice(1)}${search}`, gatewayFolder(found));
  if (protocol.startsWith("ws")) stream.protocol = stream.protocol.replace("http", "ws");
  return stream.href;
}

/**
 * @param {SocketClass} Own
 * @param {UrlFunction} url
 * @returns {SocketClass}
 */
function socketClass(Own, url) {
  return class LateSocket {
    /** @type {SocketLike["onopen"]} */
    onopen = null;
    /** @type {SocketLike["onmessage"]} */
    onmessage = null;
    /** @type {SocketLike["onerror"]} */
    onerror = null;
    /** @type {SocketLike["onclose"]} */
    onclose = null;
    /** @type {SocketLike | null} */
    #socket = null;
    #isClosed = false;

    /**
     * @param {string} address
     * @param {string[]} protocols
     */
    constructor(address, protocols) {
      this.#open(address, protocols);
    }

    get readyState() {
      return this.#socket === null ? CONNECTING : this.#socket.readyState;
    }

    /** @param {string} text */
    send(text) {
      this.#socket?.send(text);
    }

    close() {
      this.#isClosed = true;
      this.#socket?.close();
    }

    /**
     * @param {string} address
     * @param {string[]} protocols
     */
    async #open(address, protocols) {
      try {
        const found = await addressAt(url, address);
        if (this.#isClosed) return;
        const socket = new Own(found, protocols);
        this.#socket = socket;
        socket.onopen = (event) => this.onopen?.(event);
        socket.onmessage = (event) => this.onmessage?.(event);
        socket.onerror = (event) => this.onerror?.(event);
        socket.onclose = (event) => this.onclose?.(event);
      } catch (error) {
        if (!this.#isClosed) this.onclose?.({ code: 1006, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  };
}
