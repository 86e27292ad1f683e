/** A client whose clocks are set, stand still, or differ from those of gateway, queue and pillows. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Pillowcast } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { CHECK_INTERVAL_MS } from "../../services/gateway/src/gateway/static/client/timekeeper.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";

const HOUR = 3_600_000;
const GATEWAY_0 = 1_800_000_000_000;

/** A client with a gateway that answers pings after `trip` and sends heartbeats while `pass` passes time. */
function setUp() {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const gateway = { offset: GATEWAY_0, trip: 20, answers: true, pings: 0 };
  const now = () => time.monotonic() + gateway.offset;
  const client = new Pillowcast({ url: "https://pillows.example/", WebSocket: FakeWebSocket, ...time.surroundings, random: () => 0.5, page: {} });
  client.open();
  const socket = FakeWebSocket.newest;
  socket.send = (text) => {
    const { type, sent } = JSON.parse(text);
    if (type !== "ping") return;
    gateway.pings += 1;
    if (!gateway.answers) return;
    time.timers.setTimeout(() => {
      const received = now();
      time.timers.setTimeout(() => socket.receive({ type: "pong", sent, received }), gateway.trip / 2);
    }, gateway.trip / 2);
  };
  // The pillows' clocks are right throughout.
  const pillow = (id, ageMs = 0, more = {}) => ({ pillow: id, state: "hugging", at: new Date(GATEWAY_0 + time.monotonic() - ageMs).toISOString(), ...more });
  let offset = 0;
  const frame = (type, more) => socket.receive({ type, cursor: `e:${(offset += 1)}`, sent: now(), ...more });
  const snapshot = (pillows = [], more = {}) => frame("snapshot", { recovered: false, broker: "online", pillows, ...more });
  const update = (...pillows) => frame("update", { pillows });
  const pass = (ms) => {
    for (let left = ms; left > 0; left -= 1_000) {
      time.pass(1_000);
      if (left % 20_000 === 0) socket.receive({ type: "heartbeat", sent: now() });
    }
  };
  socket.accept();
  return { time, client, gateway, socket, pillow, snapshot, update, pass, now };
}

for (const [what, change] of [
  ["the wall clock is set back by an hour", ({ time }) => { time.now -= HOUR; }],
  ["the wall clock is set ahead by an hour", ({ time }) => { time.now += HOUR; }],
  ["the gateway's clock is set back by an hour", ({ gateway }) => { gateway.offset -= HOUR; }],
  ["the gateway's clock is set ahead by an hour", ({ gateway }) => { gateway.offset += HOUR; }],
]) {
  test(`${what}: a silent pillow is quiet in time, and one that reports stays live`, () => {
    const world = setUp();
    const { client, pillow, snapshot, update, pass, gateway } = world;
    snapshot([pillow("silent"), pillow("speaking")]);
    pass(10_000);
    update(pillow("silent"));
    gateway.trip = 30;
    change(world);
    for (let second = 0; second < 120; second += 1) {
      update(pillow("speaking"));
      pass(1_000);
      if (second > 1) assert.equal(client.freshness("speaking"), "live", `after ${second} s`);
      if (second > 15) assert.equal(client.freshness("silent"), "quiet", `after ${second} s`);
      if (second > 1 && what.includes("wall")) assert.ok(Math.abs(client.age("speaking") - 1_000) < 100, `age ${client.age("speaking")} after ${second} s`);
    }
    assert.equal(client.connection, "live");
  });
}

test("a jump of the wall clock forgets the measurement and pings at once", () => {
  const { time, client, gateway, snapshot, pass } = setUp();
  snapshot();
  pass(10_000);
  const pings = gateway.pings;
  time.now -= HOUR;
  gateway.trip = 500;
  time.pass(CHECK_INTERVAL_MS);
  assert.equal(gateway.pings, pings + 1);
  assert.equal(client.roundTripMs, null);
  time.pass(500);
  assert.equal(client.roundTripMs, 500, "the longer round trip counts");
  assert.equal(client.connection, "live");
});

test("after a sleep that no clock but the wall's measured, ages are right and a dead connection is noticed", () => {
  for (const answers of [true, false]) {
    const { time, client, gateway, pillow, snapshot, pass } = setUp();
    snapshot([pillow("a")]);
    pass(10_000);
    time.sleep(HOUR, { isMonotonicStill: true });
    gateway.offset += HOUR;
    gateway.answers = answers;
    time.pass(CHECK_INTERVAL_MS + 5_000);
    assert.equal(client.connection, answers ? "live" : "disconnected");
    if (answers) assert.ok(Math.abs(client.age("a") - HOUR - 20_000) < 1_000, `${client.age("a")}`);
    assert.notEqual(client.freshness("a"), "live");
  }
});

test("`since` and `lastingMs` go on through a jump of the wall clock", () => {
  const { time, client, snapshot } = setUp();
  snapshot();
  time.pass(4_000);
  time.now -= HOUR;
  assert.equal(client.lastingMs, 4_000);
  assert.equal(client.since, time.now - 4_000);
});

test("a pillow whose clock is 15 s behind is live while it reports, and its age is that of its `at`", () => {
  const { client, pillow, snapshot, update, pass } = setUp();
  snapshot([pillow("late", 16_000)]);
  for (let second = 0; second < 60; second += 1) {
    update(pillow("late", 16_000));
    assert.equal(client.freshness("late"), "live");
    pass(1_000);
    assert.ok(client.age("late") >= 16_000);
  }
  pass(15_000);
  assert.equal(client.freshness("late"), "quiet");
});

test("a state in a snapshot was alive when it was published, where the gateway knows the queue's time", () => {
  const queueOffset = -45_000;
  const { client, pillow, snapshot, now } = setUp();
  const hops = (ageMs) => ({ hops: { published: now() - ageMs + queueOffset } });
  snapshot([pillow("late", 60_000, hops(2_000)), pillow("silent", 0, hops(20_000))], { queue_offset: queueOffset });
  assert.deepEqual(["late", "silent"].map((id) => client.freshness(id)), ["live", "quiet"]);
  assert.equal(client.queueOffsetMs, queueOffset);
  snapshot([pillow("late", 60_000, hops(2_000))]);
  assert.equal(client.freshness("late"), "quiet", "without the offset two clocks are not compared");
  assert.equal(client.queueOffsetMs, null);
});
