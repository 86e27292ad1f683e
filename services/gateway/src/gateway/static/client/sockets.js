/** Opens the gateway's stream as a WebSocket or as Server-Sent Events. */

export const SUBPROTOCOL = "pillowcast.v1";

/**
 * The common interface of a WebSocket and an event stream. The events are loosely typed, so that the
 * classes of a browser, of Node.js and of the package `ws` are all assignable.
 *
 * @typedef {object} SocketLike
 * @property {((event?: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage receives an event with `data`
 * @property {((event?: any) => void) | null} onerror receives an event that may have a `message`
 * @property {((event: any) => void) | null} onclose receives an event with `code`, `reason` and perhaps `retryMs`
 * @property {number} [readyState] 1 while it is open; another number while it is opening or closing, or is closed
 * @property {(text: string) => void} send
 * @property {() => void} close
 */

/** @typedef {"websocket" | "events"} Transport */
/** @typedef {new (address: string, protocols: string[]) => SocketLike} SocketClass */
/** @typedef {(address: string) => SocketLike} OpenEvents */

/**
 * @typedef {object} Timers
 * @property {(callback: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/** @type {Timers} */
export const TIMERS = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class SocketOpener {
  #WebSocket;
  #events;

  /**
   * @param {SocketClass | null | undefined} WebSocket null for none; `globalThis.WebSocket` if undefined
   * @param {OpenEvents | null} events opens the SSE stream; null for none
   */
  constructor(WebSocket, events) {
    const own = /** @type {SocketClass | undefined} */ (/** @type {unknown} */ (globalThis.WebSocket));
    this.#WebSocket = WebSocket === undefined ? own : WebSocket;
    this.#events = events;
  }

  /**
   * @param {(transport: Transport) => string} address returns the URL
   * @param {boolean} prefersSse whether SSE is used even if there is a WebSocket
   * @returns {{socket: SocketLike, transport: Transport}}
   * @throws if no transport can be opened, and another attempt would fail as well
   */
  open(address, prefersSse) {
    if (this.#events !== null && (prefersSse || !this.#WebSocket)) return this.#openEvents(this.#events, address);
    if (!this.#WebSocket) throw new Error("there is no WebSocket class: pass one as the option WebSocket");
    try {
      return { socket: new this.#WebSocket(address("websocket"), [SUBPROTOCOL]), transport: "websocket" };
    } catch (error) {
      // A policy, an extension or a web view may forbid WebSockets: the constructor throws then.
      if (this.#events === null) throw error;
      return this.#openEvents(this.#events, address);
    }
  }

  /**
   * @param {OpenEvents} open
   * @param {(transport: Transport) => string} address
   * @returns {{socket: SocketLike, transport: Transport}}
   */
  #openEvents(open, address) {
    return { socket: open(address("events")), transport: "events" };
  }
}
