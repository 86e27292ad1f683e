/** Opens the WebSocket before the modules are loaded, for adopt_socket.js. */

export function preconnect() {
  // The gateway serves the page as a folder only, but a proxy may leave out the last slash.
  const folder = location.pathname.replace(/\/?$/, "/");
  const url = new URL(`${folder}ws`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = "motion=none";
  // Of names that no pillow can have, the page speaks later: the gateway would refuse them.
  const isId = (/** @type {string} */ text) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);
  const id = location.hash.slice(1);
  const pillows = id !== "wall" && isId(id) ? [id] : new URLSearchParams(location.search).getAll("pillow").filter(isId);
  for (const pillow of pillows) url.searchParams.append("pillow", pillow);
  try {
    const socket = new WebSocket(url.href, ["pillowcast.v1"]);
    /** @type {MessageEvent[]} */
    const received = [];
    socket.onmessage = (event) => received.push(event);
    globalThis.preconnection = { url: url.href, socket, received };
  } catch {
    // Something forbids WebSockets: the client will use events.
  }
}
