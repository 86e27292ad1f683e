import assert from "node:assert/strict";
import { test } from "node:test";

import { ServerClock, MEASUREMENT_VALID_MS } from "../../services/gateway/src/gateway/static/client/clock.js";
import { seeded } from "./fakes.js";

test("without an estimate the local time is used", () => {
  assert.equal(new ServerClock().at(1000), 1000);
});

test("of several frames the one with the largest difference counts", () => {
  const clock = new ServerClock();
  clock.observe(5_000, 1_400);
  clock.observe(6_000, 2_050);
  clock.observe(7_000, 3_900);
  assert.equal(clock.at(0), 3_950);
});

test("a pong replaces the estimate from frames, and later frames do not change it", () => {
  const clock = new ServerClock();
  clock.observe(5_000, 1_000);
  clock.observePong({ sent: 1_000, received: 5_120 }, 1_200);
  clock.observe(9_999, 1_300);
  assert.equal(clock.at(0), 4_020);
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
    assert.ok(Math.abs(clock.at(0) - offset) <= best / 2 + 1e-6, "the error is at most half the round trip");
    assert.ok(Math.abs(clock.roundTripMs - best) < 1e-6);
  }
});

test("a measurement older than MEASUREMENT_VALID_MS is replaced by a slower one", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 1_005 }, 10);
  clock.observePong({ sent: 1_000, received: 9_000 }, 1_100);
  assert.equal(clock.at(0), 1_000);
  const later = MEASUREMENT_VALID_MS + 1_000;
  clock.observePong({ sent: later, received: later + 2_050 }, later + 100);
  assert.equal(clock.at(0), 2_000);
});

test("a pong with a negative round trip is ignored", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 9_000, received: 1 }, 2_000);
  assert.equal(clock.at(0), 0);
  assert.equal(clock.roundTripMs, null);
});

test("after a reset the next frame counts", () => {
  const clock = new ServerClock();
  clock.observePong({ sent: 0, received: 50_000 }, 10);
  clock.reset();
  clock.observe(7_000, 2_000);
  assert.equal(clock.at(0), 5_000);
});
