// The program under test for Pillowcast's JavaScript client: reports what the client tells it.
import { Pillowcast } from "../../../../services/gateway/src/gateway/static/client/pillowcast.js";
import WebSocket from "ws";

const { PILLOWCAST_URL: url, PILLOWCAST_PILLOWS: names, PILLOWCAST_TOKEN: token, PILLOWCAST_TRANSPORT: transport } = process.env;
const report = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const client = new Pillowcast({
  url,
  pillows: names === "all" ? "all" : names.split(","),
  WebSocket: transport === "websocket" ? WebSocket : null,
  ...(token === "" ? {} : { token }),
});
client.addEventListener("connection", ({ detail }) => report({ live: detail.connection === "live" }));
client.addEventListener("watching", ({ detail }) => report(detail));
process.stdin.on("end", () => client.close()).resume();

client.open();
try {
  for await (const { id, pillow } of client) report({ pillow: id, state: pillow?.state ?? null });
  report({ closed: true });
} catch (error) {
  report({ refused: error.code });
  await new Promise((resolve) => process.stdin.on("end", resolve));
}
process.exit(0);
