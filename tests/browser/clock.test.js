import assert from "node:assert/strict";
import { test } from "node:test";

import { JumpDetector, MEASUREMENT_VALID_MS, MIN_JUMP_MS, ServerClock } from "../../services/gateway/src/gateway/static/client/clock.js";
import { seeded } from "./fakes.js";

test("without a frame there is no estimate", () => {
  assert.equal(new ServerClock().offsetMs, null);
});

test("of several frames the one with the largest difference counts", () => {
  const clock = new ServerClock();
  clock.observe(5_000, 1_400);
  clock.observe(6_000, 2_050);
  clock.observe(7_000, 3_900);
  assert.equal(clock.offsetMs, 3_950);
});

test("a pong replaces the estimate from frames, and later frames do not change it", () => {
  const clock = new ServerClock();
  clock.observe(5_000, 1_000);
  clock.observePong({ sent: 1_000, received: 5_120 }, 1_200);
  assert.equal(clock.observe(5_100, 1_300), false);
  assert.equal(clock.offsetMs, 4_020);
  assert.equal(clock.roundTripMs, 200);
});

test("of several pongs the one with the shortest round trip counts", () => {
  const random = seeded(5);
  for (let turn = 0; turn < 200; turn += 1) {
    const offset = (random() - 0.5) * 1e7;
    const clock = new ServerClock();
    let best = Infinity;
    for (let ping = 0; ping < 12; ping += 1) {
      const sent = ping * 1_000;
      const out = random() * 300;
      const back = random() * 300;
      clock.observePong({ sent, received: sent + out + offset }, sent + out + back);
      best = Math.min(best, out + back);
    }
    assert.ok(Math.abs(clock.offsetMs - offset) <= best / 2 + 1e-6, "the error is at most half the round trip");
    assert.ok(Math.abs(clock.roundTripMs - best) < 1e-6);
  }
});

test("a frame from later than the estimate raises it, because no frame arrives before it is sent", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 5_100 }, 200);
  assert.equal(clock.observe(5_400, 300), false);
  assert.equal(clock.offsetMs, 5_100);
  assert.equal(clock.roundTripMs, 200, "within the error of the measurement");
});

test("a frame from much later than the estimate refutes the measurement: the local clock stood still", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 5_000 }, 0);
  assert.equal(clock.observe(3_605_000, 1_000), true);
  assert.deepEqual([clock.offsetMs, clock.roundTripMs], [3_604_000, null]);
});

test("a pong after the gateway's clock was set back counts, also with a longer round trip", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 9_000_000 }, 0);
  clock.observe(9_001_000, 1_000);
  clock.observePong({ sent: 60_000, received: 5_460_050 }, 60_100);
  assert.equal(clock.offsetMs, 5_400_000);
  assert.equal(clock.observe(5_461_000, 61_000), false);
});

test("without pings a local clock that is too fast has no effect for more than two windows", () => {
  const clock = new ServerClock();
  for (let day = 0; day < 5 * 86_400_000; day += 20_000) clock.observe(day * (1 - 50e-6), day);
  const now = 5 * 86_400_000;
  const error = now + clock.offsetMs - now * (1 - 50e-6);
  assert.ok(error >= 0 && error < 100, `${error} ms after five days`);
});

test("after distrust() the offset is used until the next pong, which counts whatever its round trip", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 5_005 }, 10);
  clock.distrust(1_000);
  assert.deepEqual([clock.offsetMs, clock.roundTripMs], [5_000, null]);
  clock.observePong({ sent: 2_000, received: 7_100 }, 2_300);
  assert.deepEqual([clock.offsetMs, clock.roundTripMs], [4_950, 300]);
});

test("a jump is a difference of the two clocks that changes at once, in either direction", () => {
  for (const jump of [3_600_000, -3_600_000, MIN_JUMP_MS, -MIN_JUMP_MS]) {
    const detector = new JumpDetector();
    let [wall, monotonic] = [1_000_000, 10];
    const check = () => detector.check((wall += 5_003), (monotonic += 5_000));
    for (let turn = 0; turn < 1_000; turn += 1) assert.equal(check(), 0, "a drift is no jump");
    wall += jump - 3;
    assert.equal(check(), jump);
    assert.equal(check(), 0, "it is reported once");
  }
});

test("a measurement older than MEASUREMENT_VALID_MS is replaced by a slower one", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 1_005 }, 10);
  clock.observePong({ sent: 1_000, received: 2_010 }, 1_100);
  assert.equal(clock.offsetMs, 1_000);
  const later = MEASUREMENT_VALID_MS + 1_000;
  clock.observePong({ sent: later, received: later + 2_050 }, later + 100);
  assert.equal(clock.offsetMs, 2_000);
});

test("a pong with a negative round trip is ignored", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 9_000, received: 1 }, 2_000);
  assert.equal(clock.offsetMs, null);
  assert.equal(clock.roundTripMs, null);
});

test("after a reset the next frame counts", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 50_000 }, 10);
  clock.reset();
  clock.observe(7_000, 2_000);
  assert.equal(clock.offsetMs, 5_000);
});
