/** What the detail view is made of. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { motionKeyframes } from "../../services/gateway/src/gateway/static/cloud/motion.js";
import { BARS, LatencyStats, MAX_VALUES } from "../../services/gateway/src/gateway/static/page/latency_stats.js";
import { MAX_STATES, ticks, Timeline, totalByState } from "../../services/gateway/src/gateway/static/page/timeline.js";
import { seeded } from "./fakes.js";

const T = 1_800_000_000_000;
const iso = (at) => new Date(T + at).toISOString();
const state = (at, name, more = {}) => ({ pillow: "a", state: name, at: iso(at), ...more });
const segments = (timeline, from, to) => timeline.segments(T + from, T + to).map((one) => `${one.state} ${one.from - T}-${one.to - T}`);

test("states become segments; adjacent ones of a state are joined, and the last one lasts until now", () => {
  const timeline = new Timeline();
  for (const one of [state(10, "hugging"), state(20, "hugging"), state(30, "neutral"), state(45, "punching")]) timeline.add(one);
  assert.deepEqual(segments(timeline, 0, 60), ["hugging 10-30", "neutral 30-45", "punching 45-60"]);
  assert.deepEqual(segments(timeline, 25, 40), ["hugging 25-30", "neutral 30-40"]);
  assert.deepEqual(totalByState(timeline.segments(T, T + 70)), [["punching", 25], ["hugging", 20], ["neutral", 15]]);
  assert.equal(timeline.at(T + 9), null);
  assert.equal(timeline.at(T + 30).state, "neutral");
  assert.equal(timeline.start, T + 10);
});

test("a segment of notconnected begins at `since`", () => {
  const timeline = new Timeline();
  timeline.add(state(10, "hugging"));
  timeline.add(state(10, "notconnected", { last: "hugging", since: iso(40) }));
  assert.deepEqual(segments(timeline, 0, 60), ["hugging 10-40", "notconnected 40-60"]);
});

test("states may be added in any order, and again", () => {
  const states = Array.from({ length: 60 }, (_, n) => state(Math.floor(n / 2), n % 3 ? "hugging" : "neutral", { seq: n }));
  const right = new Timeline();
  states.forEach((one) => right.add(one));
  const random = seeded(4);
  const mixed = new Timeline();
  for (const one of [...states, ...states].sort(() => random() - 0.5)) mixed.add(one);
  assert.deepEqual(segments(mixed, 0, 100), segments(right, 0, 100));
});

test("a repeated state does not evict another", () => {
  const timeline = new Timeline();
  timeline.add(state(1, "neutral"));
  for (let n = 0; n <= MAX_STATES; n += 1) timeline.add(state(2, "hugging"));
  assert.equal(timeline.start, T + 1);
});

test("the newest MAX_STATES are kept, and states without a time are ignored", () => {
  const timeline = new Timeline();
  for (let n = 0; n < MAX_STATES + 50; n += 1) timeline.add(state(n, n % 2 ? "hugging" : "neutral"));
  timeline.add({ pillow: "a", state: "neutral", at: "yesterday" });
  assert.equal(timeline.start, T + 50);
});

test("ticks are round local times, and at most as many as requested", () => {
  assert.deepEqual(ticks(T + 1, T + 30_001, 3).map((at) => at - T), [10_000, 20_000, 30_000]);
  const zone = 5.5 * 3_600_000;
  for (const span of [1e4, 6e4, 6e5, 3.6e6, 8.64e7, 8.64e9]) {
    const found = ticks(T, T + span, 6, zone);
    assert.ok(found.length <= 7 && found.length > 0, `${span}: ${found.length}`);
    assert.ok(found.every((at) => at >= T && at <= T + span));
  }
  assert.ok(ticks(T, T + 2 * 8.64e7, 4, zone).every((at) => (at + zone) % 8.64e7 === 0 || (at + zone) % 4.32e7 === 0));
});

test("every latency is in one bar, and the newest MAX_VALUES count", () => {
  const stats = new LatencyStats();
  for (let n = 0; n < MAX_VALUES * 2; n += 1) stats.add(n < MAX_VALUES ? 1 : n, n % 5 === 0);
  const { bars, count, p50, upperBounds } = stats.summary();
  assert.equal(count, MAX_VALUES);
  assert.equal(upperBounds, MAX_VALUES / 5);
  assert.equal(bars.reduce((sum, one) => sum + one, 0), MAX_VALUES);
  assert.equal(bars.length, BARS.length);
  assert.equal(bars[0], 0);
  assert.equal(p50, MAX_VALUES * 1.5);
});

test("motion keyframes begin and end at rest, are limited, and ignore invalid samples", () => {
  const [from, still, pushed, thrown, to] = motionKeyframes([[0, 0, 1], [9, 9, 9], [0, 0, 0]]);
  assert.deepEqual([from, to], ["none", "none"]);
  assert.equal(still, "translate(0%, 0%) rotate(0deg) scale(1, 1)");
  assert.equal(pushed, "translate(8.333%, 4.286%) rotate(16deg) scale(1.16, 0.84)");
  assert.match(thrown, /translate\(0%, -6\.667%\)/);
  for (const none of [undefined, null, "x", [], [[1, 2]], [[1, 2, "3"]], [[NaN, 0, 0]]]) assert.deepEqual(motionKeyframes(none), []);
});

test("the state in a gap is unknown up to the first state that was received late", () => {
  const gaps = [];
  const timeline = new Timeline(gaps);
  const add = (ms, name, seq) => timeline.add({ state: name, at: new Date(T + ms).toISOString(), seq });
  add(0, "hugging");
  gaps.push({ from: T + 10_000, to: T + 30_000 });
  assert.deepEqual(
    timeline.segments(T, T + 40_000).map(({ from, to, state }) => [from - T, to - T, state]),
    [[0, 10_000, "hugging"], [30_000, 40_000, "hugging"]],
  );
  assert.deepEqual([9_999, 10_000, 29_999, 30_000].map((ms) => timeline.at(T + ms)?.state), ["hugging", undefined, undefined, "hugging"]);
  add(20_000, "spinning");
  assert.deepEqual(
    timeline.segments(T, T + 40_000).map(({ from, to, state }) => [from - T, to - T, state]),
    [[0, 10_000, "hugging"], [20_000, 40_000, "spinning"]],
  );
  assert.deepEqual(timeline.unknown(T + 12_000, T + 40_000), [{ from: T + 12_000, to: T + 20_000 }]);
});

test("a replay has the samples that came behind their state", () => {
  const timeline = new Timeline();
  timeline.add(state(10, "hugging"));
  timeline.add(state(10, "hugging", { motion: [[0, 1, 0.5]] }));
  timeline.add(state(10, "hugging"));
  assert.deepEqual(timeline.at(T + 11).motion, [[0, 1, 0.5]]);
});
