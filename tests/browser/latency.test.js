import assert from "node:assert/strict";
import { test } from "node:test";

import { journey, quantile } from "../../services/gateway/src/gateway/static/client/latency.js";
import { seeded } from "./fakes.js";

const T = 1_800_000_000_000;
const state = (hops, at = T) => ({ pillow: "a", state: "hugging", at: new Date(at).toISOString(), hops });
const here = { forwarded: T + 360, shown: T + 400, queueOffsetMs: 0 };
const brief = (latency) => latency?.legs.map(({ to, ms }) => `${to} ${ms}`).join(", ");

test("a journey has each leg and the time from the queue to the screen", () => {
  const latency = journey(state({ queued: T + 101, polled: T + 301, published: T + 351 }), here);
  assert.equal(brief(latency), "polled 200, published 50, forwarded 9, shown 40");
  assert.equal(latency.ms, 299);
  assert.equal(latency.atMost, false);
});

test("the gateway's times are converted into the queue's", () => {
  const ahead = 30_000;
  const pillow = state({ queued: T + 101, polled: T + 301, published: T + 351 });
  const latency = journey(pillow, { forwarded: here.forwarded + ahead, shown: here.shown + ahead, queueOffsetMs: -ahead });
  assert.deepEqual(latency, journey(pillow, here));
});

test("without the queue's offset there is no journey, because clocks of two machines are not compared", () => {
  for (const queueOffsetMs of [null, undefined]) {
    assert.equal(journey(state({ queued: T + 101 }), { ...here, queueOffsetMs }), null);
  }
});

test("the time before the queue is not reported, because the pillow's clock is not measured", () => {
  const latency = journey(state({ queued: T + 101 }, T - 15_000), here);
  assert.deepEqual([latency.legs[0].from, latency.ms], ["queued", 299]);
});

test("legs around a missing hop are joined", () => {
  assert.equal(brief(journey(state({ queued: T + 101 }), here)), "forwarded 259, shown 40");
});

test("a whole second of the queue is narrowed by a pillow's timestamp within it", () => {
  const late = { forwarded: T + 1_300, shown: T + 1_400, queueOffsetMs: 0 };
  const within = journey(state({ queued: T, polled: T + 1_200 }, T + 700), late);
  assert.deepEqual([within.ms, within.atMost], [700, false]);
  const unnarrowed = journey(state({ queued: T, polled: T + 1_200 }, T), late);
  assert.deepEqual([unnarrowed.ms, unnarrowed.atMost], [1_400, true]);
  const outside = journey(state({ queued: T, polled: T + 1_200 }, T - 700), late);
  assert.deepEqual([outside.ms, outside.atMost], [1_400, true]);
  const afterIt = journey(state({ queued: T, polled: T + 1_200 }, T + 1_100), late);
  assert.deepEqual([afterIt.ms, afterIt.atMost], [1_400, true]);
  const impossible = journey(state({ queued: T, polled: T + 500 }, T + 700), late);
  assert.deepEqual([impossible.ms, impossible.atMost], [1_400, true]);
});

test("there is no journey without a timestamp of the queue, or with an implausible one", () => {
  for (const hops of [undefined, {}, { queued: "x" }, { queued: null }, { queued: T + 401 }, { queued: T - 60_001 }]) {
    assert.equal(journey(state(hops), here), null, JSON.stringify(hops));
  }
});

test("no leg is negative, and the legs after the queue add up, whatever the clocks are", () => {
  const random = seeded(5);
  for (let turn = 0; turn < 2_000; turn += 1) {
    const stamp = () => T + 1 + Math.floor(random() * 900);
    const hops = { queued: stamp(), polled: stamp(), published: stamp() };
    const latency = journey(state(hops, stamp()), { forwarded: stamp(), shown: T + 2_000, queueOffsetMs: 0 });
    assert.ok(latency.legs.every(({ ms }) => ms >= 0));
    const since = latency.legs.reduce((sum, { ms }) => sum + ms, 0);
    assert.ok(Math.abs(since - latency.ms) < 1e-6, JSON.stringify(latency));
  }
});

test("a quantile is one of the values, by the nearest rank", () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2);
  assert.equal(quantile([3, 1, 2], 1), 3);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});
