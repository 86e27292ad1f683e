/** The replay: its clock, and which part of the past is looked at. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Calendar, HOUR_MS } from "../../services/gateway/src/gateway/static/page/calendar.js";
import { PastView, poseOf } from "../../services/gateway/src/gateway/static/page/past_view.js";
import { ReplayClock, SKIP_MS } from "../../services/gateway/src/gateway/static/page/replay_clock.js";
import { closeUpOf, intervalOf, SPANS, spanOf } from "../../services/gateway/src/gateway/static/page/spans.js";
import { Timeline } from "../../services/gateway/src/gateway/static/page/timeline.js";
import { seeded } from "./fakes.js";

const T = 1_800_000_000_000;
const RANGE = { from: T, to: T + 600_000 };
const S = 1000;

/** Advance in frames; the position after each. */
function play(clock, ms, skips = [], range = RANGE, frame = 20) {
  for (let passed = 0; passed < ms; passed += frame) clock.advance(frame, range, skips);
  return clock.position;
}

test("a replay plays at its speed, and stands still while it is paused", () => {
  for (const speed of [0.25, 1, 4, 15, 60]) {
    const clock = new ReplayClock();
    clock.speed = speed;
    clock.play(RANGE);
    assert.ok(Math.abs(play(clock, 2 * S) - (T + 2 * S * speed)) < 1, `${speed}×`);
    clock.pause();
    const position = clock.position;
    assert.equal(play(clock, 2 * S), position);
  }
});

test("it stops at the end, and begins again from the start", () => {
  const clock = new ReplayClock();
  clock.speed = 60;
  clock.play(RANGE);
  let ends = 0;
  for (let frame = 0; frame < 2_000; frame += 1) ends += clock.advance(16, RANGE) ? 1 : 0;
  assert.deepEqual([ends, clock.position, clock.isPlaying], [1, RANGE.to, false]);
  clock.play(RANGE);
  assert.deepEqual([clock.position, clock.isPlaying], [T, true]);
});

test("it goes on from where it was sought to, and now ends it", () => {
  const clock = new ReplayClock();
  clock.seek(T + 30 * S);
  clock.play(RANGE);
  assert.equal(play(clock, 1 * S), T + 31 * S);
  clock.seek(null);
  assert.deepEqual([clock.isPlaying, play(clock, 1 * S)], [false, null]);
});

test("a time of which nothing is known, or in which the pillow slept, is passed quickly", () => {
  const clock = new ReplayClock();
  const skips = [{ from: T + 1 * S, to: T + 400 * S }];
  clock.play(RANGE);
  play(clock, 1 * S, skips);
  assert.ok(Math.abs(clock.position - (T + 1 * S)) < 1);
  play(clock, SKIP_MS, skips);
  assert.ok(Math.abs(clock.position - (T + 400 * S)) < 1, `${clock.position - T}`);
  play(clock, 1 * S, skips);
  assert.ok(Math.abs(clock.position - (T + 401 * S)) < 1);
});

test("a short silence is not stretched", () => {
  const clock = new ReplayClock();
  clock.speed = 60;
  clock.play(RANGE);
  play(clock, 1 * S, [{ from: T + 30 * S, to: T + 32 * S }]);
  assert.ok(Math.abs(clock.position - (T + 60 * S)) < 1);
});

test("a page that stood still replays nothing of that time", () => {
  const clock = new ReplayClock();
  clock.play(RANGE);
  clock.advance(3_600_000, RANGE);
  assert.ok(clock.position <= T + 250);
});

test("whatever the speed and the gaps, it never goes back and always arrives", () => {
  const random = seeded(9);
  for (let turn = 0; turn < 200; turn += 1) {
    const clock = new ReplayClock();
    clock.speed = [0.25, 1, 60, 3600, 86_400][turn % 5] * (1 + random());
    const range = { from: T + random(), to: T + clock.speed * 3 * S * random() + 1 };
    const skips = [];
    for (let at = range.from; at < range.to; ) {
      const from = at + random() * (range.to - range.from) * 0.3;
      at = from + random() * (range.to - range.from) * 0.2;
      skips.push({ from, to: Math.min(at, range.to) });
    }
    clock.play(range);
    let before = clock.position;
    let frames = 0;
    while (clock.isPlaying) {
      clock.advance(random() * 30, range, skips);
      assert.ok(clock.position >= before);
      before = clock.position;
      assert.ok((frames += 1) < 10_000, `stuck at ${clock.position - T} of ${range.to - T}`);
    }
    assert.equal(clock.position, range.to);
  }
});

test("spans end now; whole days begin at midnight", () => {
  const calendar = new Calendar("Europe/Berlin");
  const now = Date.parse("2026-10-26T12:34:56Z");
  assert.deepEqual(intervalOf(spanOf("10min"), now, calendar), { from: now - 600_000, to: now });
  assert.equal(new Date(intervalOf(spanOf("7d"), now, calendar).from).toISOString(), "2026-10-19T22:00:00.000Z");
  assert.equal(spanOf("nothing").name, "10min");
  for (const span of SPANS.filter(({ stepMs }) => stepMs > 0)) {
    const { from, to } = intervalOf(span, now, calendar);
    assert.ok((to - from) / span.stepMs + 1 <= 1000, `${span.name} has too many steps`);
  }
});

test("a closer look is an hour that contains the time and has begun", () => {
  const random = seeded(2);
  for (let turn = 0; turn < 1000; turn += 1) {
    const now = T + random() * 1e8;
    const time = now - random() ** 3 * 1e8;
    const { from, to } = closeUpOf(time, now);
    assert.ok(Math.abs(to - from - HOUR_MS) < 1e-3 && from <= time && time <= to && to <= now, `${now - time}`);
  }
});

/** A timeline of recorded states. */
function recorded(...states) {
  const timeline = new Timeline();
  for (const [ms, state, more] of states) timeline.add({ pillow: "a", state, at: new Date(T + ms).toISOString(), ...more }, false);
  return timeline;
}

test("the range stands still while a past time is shown, and moves again from now", () => {
  const view = new PastView(new Calendar("UTC"));
  assert.deepEqual([view.isNow, view.isLive, view.range(T).to], [true, true, T]);
  view.select(T - 5 * S, T);
  assert.deepEqual([view.isNow, view.isLive, view.range(T + 60 * S).to], [false, false, T]);
  view.select(null, T + 60 * S);
  assert.deepEqual([view.isNow, view.range(T + 60 * S).to], [true, T + 60 * S]);
});

test("a replay of the last while arrives in the present; one of an hour looked at stays there", () => {
  const view = new PastView(new Calendar("UTC"));
  view.toggle(T);
  assert.equal(view.clock.position, T - 600_000);
  for (let frame = 0; frame < 4_000; frame += 1) view.advance(16, [], T + frame * 16);
  assert.equal(view.isNow, true);
  view.lookCloser(T - 7_200_000, T);
  const { to } = view.range(T);
  view.toggle(T);
  for (let frame = 0; frame < 9_000; frame += 1) view.advance(16, [], T);
  assert.deepEqual([view.isNow, view.clock.position, view.clock.isPlaying], [false, to, false]);
  view.toNow();
  assert.deepEqual([view.isNow, view.span.name], [true, "10min"]);
});

test("a speed that was chosen stays with its span", () => {
  const view = new PastView(new Calendar("UTC"));
  view.setSpeed(0.25);
  view.choose("24h");
  assert.equal(view.clock.speed, spanOf("24h").speeds[0]);
  view.choose("10min");
  assert.equal(view.clock.speed, 0.25);
});

test("a recorded state that was not reported again is followed by sleep, or by a time nobody listened", () => {
  const timeline = recorded([0, "hugging"], [5 * S, "neutral"], [300 * S, "hugging", { motion: [[0, 0, 1]] }], [310 * S, "neutral"], [330 * S, "neutral"]);
  const step = (from, asleepMs, unheardMs) => ({ from: T + from, to: T + from + 60 * S, ms: new Map(), episodes: {}, asleepMs, unheardMs });
  const steps = [step(0, 25 * S, 0), step(60 * S, 60 * S, 0), step(120 * S, 0, 60 * S), step(180 * S, 0, 60 * S), step(240 * S, 60 * S, 0)];
  const view = new PastView(new Calendar("UTC"));
  const now = T + 330 * S;
  view.choose("10min");
  const { pieces, totals, skips } = view.content(timeline, steps, { now, knownUntil: now });
  const names = pieces.map(({ from, to, state }) => `${state} ${(from - T) / S}-${(to - T) / S}`);
  assert.deepEqual(names, ["unknown -270-0", "hugging 0-5", "neutral 5-35", "asleep 35-120", "unheard 120-240", "asleep 240-300", "hugging 300-310", "neutral 310-330"]);
  assert.deepEqual(skips.map(({ from, to }) => [(from - T) / S, (to - T) / S]), [[-270, 0], [35, 120], [120, 240], [240, 300]]);
  assert.equal(totals.some(([kind]) => kind === "unknown"), false);
  const kinds = [-1, 1, 20, 60, 150, 301].map((s) => { view.select(T + s * S, now); return view.moment(timeline, steps).kind; });
  assert.deepEqual(kinds, ["unknown", "hugging", "neutral", "asleep", "unheard", "hugging"]);
  assert.deepEqual(view.moment(timeline, steps).motion, [[0, 0, 1]]);
  assert.deepEqual(["asleep", "unheard", "hugging"].map(poseOf), ["notconnected", "notconnected", "hugging"]);
});

test("a pillow slept until its first state of the range, also in the minute in which it woke up", () => {
  const step = (from, asleepMs, ms) => ({ from: T + from, to: T + from + 60 * S, ms: new Map([["neutral", ms]]), episodes: {}, asleepMs, unheardMs: 0 });
  const view = new PastView(new Calendar("UTC"));
  const now = T + 80 * S;
  const content = (asleepMs) => view.content(recorded([70 * S, "neutral"]), [step(0, 60 * S, 0), step(60 * S, asleepMs, 50 * S)], { now, knownUntil: now });
  const kinds = ({ pieces }) => pieces.filter(({ from }) => from >= T).map(({ from, to, state }) => `${state} ${(from - T) / S}-${(to - T) / S}`);

  assert.deepEqual(kinds(content(10 * S)), ["asleep 0-70", "neutral 70-80"]);
  view.select(T + 65 * S, now);
  assert.equal(view.moment(recorded([70 * S, "neutral"]), [step(60 * S, 10 * S, 50 * S)]).kind, "asleep");
  // It was in a state when the range began, and that is not known.
  assert.deepEqual(kinds(content(2 * S)), ["asleep 0-60", "unknown 60-70", "neutral 70-80"]);
});

test("after the newest known state nothing is known", () => {
  const view = new PastView(new Calendar("UTC"));
  const { pieces } = view.content(recorded([0, "hugging"]), [], { now: T + 20 * S, knownUntil: T + 10 * S });
  assert.deepEqual(pieces.slice(-2).map(({ state }) => state), ["hugging", "unknown"]);
});
