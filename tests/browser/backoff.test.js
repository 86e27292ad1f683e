import assert from "node:assert/strict";
import { test } from "node:test";

import {
  backoff,
  MAX_DELAY_MS,
  MIN_DELAY_MS,
  delayWithin,
} from "../../services/gateway/src/gateway/static/client/backoff.js";
import { seeded } from "./fakes.js";

test("a delay stays within its bounds for any attempt", () => {
  const random = seeded(1);
  const attempts = [...Array(60).keys(), 1e3, 1e6, Number.MAX_SAFE_INTEGER];
  for (const attempt of attempts) {
    for (const chance of [0, random(), random(), 1 - Number.EPSILON]) {
      const delay = backoff(attempt, chance);
      assert.ok(delay >= MIN_DELAY_MS && delay <= MAX_DELAY_MS, `attempt ${attempt}: ${delay}`);
    }
  }
});

test("the window doubles up to MAX_DELAY_MS", () => {
  const widths = [0, 1, 2, 3, 4, 5, 6, 60].map((attempt) => backoff(attempt, 1) - backoff(attempt, 0));
  assert.deepEqual(widths, [500, 1000, 2000, 4000, 8000, 16000, 19500, 19500]);
});

test("delays are spread evenly over the window", () => {
  const random = seeded(2);
  const delays = Array.from({ length: 2_000 }, () => backoff(10, random()));
  const tenths = new Array(10).fill(0);
  for (const delay of delays) tenths[Math.floor(((delay - MIN_DELAY_MS) / (MAX_DELAY_MS - MIN_DELAY_MS)) * 10)] += 1;
  for (const count of tenths) assert.ok(count > 120 && count < 280, `uneven: ${tenths}`);
});

test("the delay depends only on attempt and random number", () => {
  assert.equal(backoff(3, 0.25), 500 + 0.25 * 4000);
});

test("a delay within a goodbye's window is drawn from its whole width", () => {
  assert.equal(delayWithin([200, 5000], 0), 200);
  assert.equal(delayWithin([200, 5000], 0.5), 2600);
  assert.equal(delayWithin([300, 300], 0.9), 300);
});
