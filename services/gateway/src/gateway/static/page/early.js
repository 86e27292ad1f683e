// The connection, opened at the page's top, before its modules are here.
// What comes meanwhile is kept for page/socket.js, which also knows what to do when the address
// turns out to be another. A script of its own and not a module: it waits for nothing.
{
  const address = new URL("ws", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  const name = location.hash.slice(1);
  const asked = /^[\w.-]+$/.test(name) ? [name] : new URLSearchParams(location.search).getAll("pillow");
  for (const one of asked) address.searchParams.append("pillow", one);
  const socket = new WebSocket(address.href, ["pillowcast.v1"]);
  const heard = [];
  socket.onmessage = (event) => heard.push(event);
  globalThis.earlySocket = { address: address.href, socket, heard };
}
