/** The option `url` as a function, which is called for each connection. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

function setUp(url, more = {}) {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const client = connect({ url, WebSocket: FakeWebSocket, events: null, random: () => 0.5, ...time.surroundings, ...more });
  const snapshot = { type: "snapshot", cursor: "e:1", recovered: false, broker: "online", sent: time.now, pillows: [] };
  return { time, FakeWebSocket, client, snapshot };
}

test("it is asked for each connection, and may lead to another gateway", async () => {
  const folders = ["https://one.example/clouds", new URL("http://two.example:8080/")];
  const { time, FakeWebSocket, client, snapshot } = setUp(async () => folders.shift(), { pillows: ["cloud-1"], token: "t" });
  assert.equal(client.status.phase, "connecting");
  await settle();
  assert.equal(FakeWebSocket.newest.url, "wss://one.example/clouds/ws?pillow=cloud-1");
  assert.deepEqual(FakeWebSocket.newest.protocols, ["pillowcast.v1"]);
  FakeWebSocket.newest.accept();
  await settle();
  assert.deepEqual(FakeWebSocket.newest.sent, [{ type: "token", token: "t" }]);
  FakeWebSocket.newest.receive(snapshot);
  assert.equal(client.connection, "live");
  FakeWebSocket.newest.drop();
  time.pass(1_000);
  await settle();
  assert.equal(FakeWebSocket.newest.url, "ws://two.example:8080/ws?pillow=cloud-1&since=e%3A1");
  client.close();
  assert.equal(FakeWebSocket.newest.isClosed, true);
});

test("one that fails, or names no gateway, is an outage with its reason", async () => {
  const answers = [() => Promise.reject(new Error("the register is down")), () => "ws://host/ws", () => undefined, () => "https://host/"];
  const { time, FakeWebSocket, client } = setUp(() => answers.shift()());
  const reasons = [];
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await settle();
    assert.equal(client.status.phase, "waiting");
    reasons.push(client.status.reason);
    time.pass(3_000);
  }
  await settle();
  assert.match(reasons[0], /no url: the register is down/);
  assert.match(reasons[1], /url is ws:\/\/host\/ws: pass the URL of the gateway, as http:\/\/host\//);
  assert.match(reasons[2], /url\(\) returned undefined: return the URL of the gateway/);
  assert.equal(FakeWebSocket.newest.url, "wss://host/ws");
  client.close();
});

test("one that answers after the end opens nothing", async () => {
  let answer;
  const { FakeWebSocket, client } = setUp(() => new Promise((resolve) => (answer = resolve)));
  client.close();
  answer("https://host/");
  await settle();
  assert.equal(FakeWebSocket.sockets.length, 0);
});

test("a function is shared with itself only", async () => {
  const url = () => "https://host/";
  const { FakeWebSocket, client, time } = setUp(url);
  const equal = { WebSocket: FakeWebSocket, events: null, ...time.surroundings };
  const others = [url, () => "https://host/"].map((one) => connect({ url: one, ...equal }));
  await settle();
  assert.equal(FakeWebSocket.sockets.length, 3, "random differs from that of the first");
  others.push(connect({ url, ...equal }));
  await settle();
  assert.equal(FakeWebSocket.sockets.length, 3);
  [client, ...others].forEach((one) => one.close());
});

test("Server-Sent Events ask it as well", async () => {
  const asked = [];
  const fetch = async (address) => {
    asked.push(String(address));
    throw new Error("none");
  };
  const { client } = setUp(async () => "https://host/clouds/", { WebSocket: null, fetch, events: undefined });
  await settle();
  assert.deepEqual(asked, ["https://host/clouds/events"]);
  client.close();
});
