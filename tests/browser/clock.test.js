import assert from "node:assert/strict";
import { test } from "node:test";

import { ServerClock, TRUSTED_FOR_MS } from "../../services/gateway/src/gateway/static/client/clock.js";
import { seeded } from "./fakes.js";

test("while nothing is known, local time is all there is", () => {
  assert.equal(new ServerClock().at(1000), 1000);
});

test("the frame that took least is believed, and no frame makes the gateway slower", () => {
  const clock = new ServerClock();
  clock.heard(5_000, 1_400);
  clock.heard(6_000, 2_050);
  clock.heard(7_000, 3_900);
  assert.equal(clock.at(0), 3_950);
});

test("a pong is worth more than any frame", () => {
  const clock = new ServerClock();
  clock.heard(5_000, 1_000);
  clock.measured({ sent: 1_000, received: 5_120 }, 1_200);
  clock.heard(9_999, 1_300);
  assert.equal(clock.at(0), 4_020);
  assert.equal(clock.roundTripMs, 200);
});

test("of many pongs the quickest decides, whatever their order", () => {
  const random = seeded(5);
  for (let turn = 0; turn < 200; turn += 1) {
    const offset = (random() - 0.5) * 1e7;
    const clock = new ServerClock();
    let best = Infinity;
    for (let ping = 0; ping < 12; ping += 1) {
      const sent = ping * 1_000;
      const there = random() * 300;
      const back = random() * 300;
      clock.measured({ sent, received: sent + there + offset }, sent + there + back);
      best = Math.min(best, there + back);
    }
    assert.ok(Math.abs(clock.at(0) - offset) <= best / 2 + 1e-6, "further off than half the way");
    assert.ok(Math.abs(clock.roundTripMs - best) < 1e-6);
  }
});

test("an old measurement gives way even to a slower one", () => {
  const clock = new ServerClock();
  clock.measured({ sent: 0, received: 1_005 }, 10);
  clock.measured({ sent: 1_000, received: 9_000 }, 1_100);
  assert.equal(clock.at(0), 1_000);
  const later = TRUSTED_FOR_MS + 1_000;
  clock.measured({ sent: later, received: later + 2_050 }, later + 100);
  assert.equal(clock.at(0), 2_000);
});

test("a pong from before the local clock was set back is no measurement", () => {
  const clock = new ServerClock();
  clock.measured({ sent: 9_000, received: 1 }, 2_000);
  assert.equal(clock.at(0), 0);
  assert.equal(clock.roundTripMs, null);
});

test("after a reset the next frame counts again", () => {
  const clock = new ServerClock();
  clock.measured({ sent: 0, received: 50_000 }, 10);
  clock.reset();
  clock.heard(7_000, 2_000);
  assert.equal(clock.at(0), 5_000);
});
