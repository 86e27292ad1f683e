// Socket.IO on Node.js: emit to all clients.   socketio.cjs PORT MQTT_PORT
const { createServer } = require("node:http");
const { Server } = require("socket.io");
const mqtt = require("mqtt");

const [port, mqttPort] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
http.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
const client = mqtt.connect(`mqtt://127.0.0.1:${mqttPort}`);
client.on("connect", () => client.subscribe("pillow/+/state"));
client.on("message", (_topic, payload) => io.emit("state", JSON.parse(payload)));
