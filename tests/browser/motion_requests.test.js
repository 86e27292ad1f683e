/** Motion of chosen pillows: what is asked for and when, and what comes of the samples. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_MOTION, MOTION_INTERVAL_MS } from "../../services/gateway/src/gateway/static/client/motion_requests.js";
import { connect } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";

const AT = "2027-01-15T08:00:00Z";
const SAMPLES = [[0, 1, 0.5]];

function setUp() {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const options = { url: "https://pillows.example/", motion: "none", WebSocket: FakeWebSocket, events: null, random: () => 0.5, ...time.surroundings };
  const open = (more) => connect({ ...options, ...more });
  const socket = () => FakeWebSocket.newest;
  const pillow = (id, seq = 1, more = {}) => ({ pillow: id, state: "hugging", at: AT, seq, ...more });
  const snapshot = (...pillows) => ({ type: "snapshot", cursor: "e:1", recovered: false, broker: "online", sent: time.now, motion: "none", pillows });
  const update = (...pillows) => ({ type: "update", cursor: "e:2", sent: time.now, pillows });
  const motion = (id, seq = 1) => ({ type: "motion", pillows: [{ pillow: id, at: AT, seq, motion: SAMPLES }] });
  const arrive = (frame) => {
    socket().accept();
    socket().receive(frame);
  };
  const asked = () => socket().sent.filter(({ type }) => type === "motion").map(({ pillows }) => pillows);
  return { time, FakeWebSocket, open, socket, pillow, snapshot, update, motion, arrive, asked };
}

test("states without motion are asked for by the address", () => {
  const { open, socket } = setUp();
  const clients = [open({}), open({ motion: "all" }), open({ motion: undefined })];
  assert.equal(new URL(socket().url).search, "");
  clients[1].close();
  const named = open({ pillows: ["cloud-1"], share: false });
  assert.equal(socket().url, "wss://pillows.example/ws?motion=none&pillow=cloud-1");
  [...clients, named].forEach((client) => client.close());
});

test("an event stream, on which nobody can ask, has the motion of all", () => {
  const addresses = [];
  const { open } = setUp();
  const events = (address) => {
    addresses.push(new URL(address).search);
    return { close() {} };
  };
  open({ WebSocket: null, events }).close();
  assert.deepEqual(addresses, [""]);
});

test("the newest choice is sent behind the snapshot, and others at a distance", () => {
  const { time, open, arrive, snapshot, asked, pillow } = setUp();
  const client = open({});
  client.subscribeMotion(["b", "a", "b"]);
  assert.deepEqual(asked(), []);
  arrive(snapshot(pillow("a")));
  assert.deepEqual(asked(), [["a", "b"]]);
  client.subscribeMotion(["a"]);
  client.subscribeMotion(["c"]);
  assert.equal(asked().length, 1);
  time.pass(MOTION_INTERVAL_MS);
  assert.deepEqual(asked().slice(1), [["c"]]);
  time.pass(MOTION_INTERVAL_MS);
  client.subscribeMotion(["c"]);
  assert.equal(asked().length, 2);
  client.subscribeMotion([]);
  assert.deepEqual(asked().at(-1), []);
  for (let n = 0; n < 100; n += 1) {
    client.subscribeMotion([`cloud-${n}`]);
    time.pass(10);
  }
  assert.ok(asked().length <= 3 + 4, "a second of scrolling");
  time.pass(MOTION_INTERVAL_MS);
  assert.deepEqual(asked().at(-1), ["cloud-99"]);
  client.close();
  assert.equal(time.running, 0);
});

test("the choice is sent again after a reconnect, and not to a gateway that does not know it", () => {
  const { time, FakeWebSocket, open, arrive, snapshot, socket, asked } = setUp();
  const client = open({});
  client.subscribeMotion(["a"]);
  arrive(snapshot());
  socket().drop();
  time.pass(60_000);
  assert.equal(FakeWebSocket.sockets.length > 1, true);
  arrive(snapshot());
  assert.deepEqual(asked(), [["a"]]);
  socket().drop();
  time.pass(60_000);
  arrive({ ...snapshot(), motion: undefined });
  time.pass(1_000);
  assert.deepEqual(asked(), []);
  client.close();
});

test("samples are added to the state that they are of, and fire `motion`", () => {
  const { open, arrive, snapshot, update, motion, socket, pillow } = setUp();
  const client = open({});
  const [moved, changes] = [[], []];
  client.addEventListener("motion", ({ detail }) => moved.push(...detail.pillows));
  client.addEventListener("change", ({ detail }) => changes.push(...detail.changed));
  arrive(snapshot(pillow("a")));
  socket().receive(update(pillow("a", 2)));
  socket().receive(motion("a", 2));
  assert.deepEqual(client.pillows.get("a"), pillow("a", 2, { motion: SAMPLES }));
  assert.equal(moved[0], client.pillows.get("a"));
  socket().receive(motion("a", 1));
  socket().receive(motion("b"));
  assert.equal(moved.length, 1, "of another state, or of none");
  assert.deepEqual(changes, ["a", "a"]);
  socket().receive(snapshot(pillow("a", 2)));
  assert.deepEqual(client.pillows.get("a").motion, SAMPLES, "the same state without samples is no other one");
  socket().receive(update(pillow("a", 2, { state: "notconnected" })));
  assert.equal(client.pillows.get("a").motion, undefined);
  client.close();
});

test("clients that share a connection ask for what all of them want, until they leave", async () => {
  const { time, FakeWebSocket, open, arrive, snapshot, motion, socket, pillow, asked } = setUp();
  const [a, b] = [open({}), open({})];
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(FakeWebSocket.sockets.length, 1);
  a.subscribeMotion(["a"]);
  b.subscribeMotion(["b"]);
  arrive(snapshot(pillow("a"), pillow("b")));
  assert.deepEqual(asked(), [["a", "b"]]);
  const moved = [];
  for (const client of [a, b]) client.addEventListener("motion", ({ detail }) => moved.push(...detail.pillows.map(({ pillow: id }) => id)));
  socket().receive(motion("a"));
  assert.deepEqual(moved, ["a", "a"]);
  assert.deepEqual(b.pillows.get("a").motion, SAMPLES);
  b.close();
  time.pass(MOTION_INTERVAL_MS);
  assert.deepEqual(asked().at(-1), ["a"]);
  a.close();
});

test("a wrong choice is a TypeError with what to pass", () => {
  const { open } = setUp();
  const client = open({});
  const many = Array.from({ length: MAX_MOTION + 1 }, (_, n) => `cloud-${n}`);
  for (const wrong of ["all", undefined, ["#"], many]) assert.throws(() => client.subscribeMotion(wrong), /^TypeError: the pillows whose motion is wanted are .*: pass a list of at most 256 ids$/);
  const whole = open({ motion: "all" });
  assert.throws(() => whole.subscribeMotion([]), /^TypeError: states have their motion: connect with/);
  client.close();
  whole.close();
});
