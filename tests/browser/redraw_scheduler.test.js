import assert from "node:assert/strict";
import { test } from "node:test";

import { RedrawScheduler } from "../../services/gateway/src/gateway/static/page/redraw_scheduler.js";
import { ManualClock } from "./fakes.js";

const FRAME_MS = 16;

function setUp() {
  const time = new ManualClock();
  const scheduler = new RedrawScheduler({
    requestFrame: (callback) => time.timers.setTimeout(callback, FRAME_MS),
    setTimeout: (callback, ms = 0) => time.timers.setTimeout(callback, ms),
    now: time.clock,
  });
  const drawnAt = [];
  const begin = time.now;
  const request = (intervalMs) => scheduler.request(() => drawnAt.push(time.now - begin), intervalMs);
  return { time, scheduler, drawnAt, request };
}

test("several requests make one redraw in the next frame", () => {
  const { time, drawnAt, request } = setUp();
  for (let count = 0; count < 3; count += 1) request(0);
  assert.deepEqual(drawnAt, []);
  time.pass(FRAME_MS);
  assert.deepEqual(drawnAt, [FRAME_MS]);
  time.pass(1_000);
  assert.equal(drawnAt.length, 1);
});

test("two redraws are an interval apart", () => {
  const { time, drawnAt, request } = setUp();
  request(100);
  time.pass(FRAME_MS);
  request(100);
  time.pass(99);
  assert.equal(drawnAt.length, 1);
  time.pass(1 + FRAME_MS);
  assert.deepEqual(drawnAt, [FRAME_MS, FRAME_MS + 100 + FRAME_MS]);
});

test("skipInterval() lets the next redraw come at once", () => {
  const { time, scheduler, drawnAt, request } = setUp();
  request(100);
  time.pass(FRAME_MS);
  scheduler.skipInterval();
  request(100);
  time.pass(FRAME_MS);
  assert.deepEqual(drawnAt, [FRAME_MS, 2 * FRAME_MS]);
});
