// ws on Node.js: one send for each browser.   ws.cjs PORT MQTT_PORT
const { WebSocketServer } = require("ws");
const mqtt = require("mqtt");

const [port, mqttPort] = process.argv.slice(2);
const server = new WebSocketServer({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
const client = mqtt.connect(`mqtt://127.0.0.1:${mqttPort}`);
client.on("connect", () => client.subscribe("pillow/+/state"));
client.on("message", (_topic, payload) => {
  for (const browser of server.clients) browser.send(payload, { binary: false });
});
