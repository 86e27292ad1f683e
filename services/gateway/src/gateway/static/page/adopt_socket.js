/** Gives the client the WebSocket that page/preconnect.js opened, as the first one that it creates. */

const OPEN = 1;

/** @typedef {{url: string, socket: WebSocket, received: MessageEvent[]}} Preconnection */

/**
 * A WebSocket class of which the first instance is the preconnected socket, if that has the same URL
 * and is not closed. The messages that it received are dispatched again.
 *
 * @param {typeof WebSocket | undefined} Own undefined where something has removed it
 * @param {Preconnection | undefined} preconnection
 */
export function adoptFirst(Own, preconnection) {
  if (!Own) return undefined;
  const Socket = Own;
  let unused = preconnection;
  /**
   * @param {string} url
   * @param {string[]} protocols
   */
  function AdoptingWebSocket(url, protocols) {
    const first = unused;
    unused = undefined;
    if (first === undefined) return new Socket(url, protocols);
    const { socket, received } = first;
    if (first.url !== url || !(socket.readyState <= OPEN)) {
      socket.close();
      return new Socket(url, protocols);
    }
    // In a microtask, because the client sets the handlers after the constructor. No newer message
    // can be dispatched before.
    queueMicrotask(() => {
      if (socket.readyState !== OPEN) return;
      socket.onopen?.(new Event("open"));
      for (const event of received) socket.onmessage?.(event);
    });
    return socket;
  }
  return /** @type {import("../client/sockets.js").SocketClass} */ (/** @type {unknown} */ (AdoptingWebSocket));
}
