/** The socket that page/early.js opened, in the place of the first that the client asks for. */

const OPEN = 1;

/**
 * A WebSocket class of which the first one made is the early one, when that is to the same
 * address and still good; what it heard until then is heard again.
 *
 * @param {typeof WebSocket} Own
 * @param {{address: string, socket: WebSocket, heard: MessageEvent[]} | undefined} early
 */
export function beginningWith(Own, early) {
  let left = early;
  return function Socket(address, protocols) {
    const first = left;
    left = undefined;
    if (first === undefined) return new Own(address, protocols);
    const { socket, heard } = first;
    if (first.address !== address || !(socket.readyState <= OPEN)) {
      socket.close();
      return new Own(address, protocols);
    }
    // When who asked has said where to: nothing can come between.
    queueMicrotask(() => {
      if (socket.readyState !== OPEN) return;
      socket.onopen?.(new Event("open"));
      for (const event of heard) socket.onmessage?.(event);
    });
    return socket;
  };
}
