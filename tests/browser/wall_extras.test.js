/** What the wall has beyond its first picture: a held order, moves, and less detail on a slow device. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_MOVES, movesOf } from "../../services/gateway/src/gateway/static/page/card_moves.js";
import { DETAIL_STEPS, DetailLimit, middleFrameMs, watchFrames } from "../../services/gateway/src/gateway/static/page/frame_pace.js";
import { heldOrder, isHeld, LEFT_MS, OrderHold } from "../../services/gateway/src/gateway/static/page/order_hold.js";
import { keyStep } from "../../services/gateway/src/gateway/static/page/wall_keys.js";
import { ManualClock, seeded } from "./fakes.js";

const [FAST, SLOW] = [17, 60];
const HOUR_MS = 3_600_000;

test("an order is held while a pointer or the focus is on the cards, but not if it was left there", () => {
  const base = { isOver: false, isFocused: false, sinceInputMs: 0 };
  assert.equal(isHeld(base), false);
  assert.equal(isHeld({ ...base, isOver: true }), true);
  assert.equal(isHeld({ ...base, isFocused: true, sinceInputMs: LEFT_MS - 1 }), true);
  assert.equal(isHeld({ ...base, isOver: true, isFocused: true, sinceInputMs: LEFT_MS }), false);
});

test("a held order moves no card: one that a filter leaves out stays, new ones come last, removed ones go", () => {
  const random = seeded(6);
  for (let turn = 0; turn < 200; turn += 1) {
    const any = () => Array.from({ length: 12 }, (_, n) => `c${n}`).filter(() => random() < 0.6).sort(() => random() - 0.5);
    const [shown, wanted, gone] = [any(), any(), new Set(any().slice(0, 2))];
    const exists = (id) => !gone.has(id);
    const held = heldOrder(shown, wanted.filter(exists), exists);
    assert.deepEqual(held.slice(0, shown.filter(exists).length), shown.filter(exists));
    assert.deepEqual(new Set(held), new Set([...shown, ...wanted].filter(exists)));
    assert.equal(new Set(held).size, held.length);
  }
});

function setUpHold() {
  const time = new ManualClock();
  const container = new EventTarget();
  const seen = { ends: 0 };
  const hold = new OrderHold(container, { ...time.timers, now: time.monotonic }, () => true, () => { seen.ends += 1; });
  const fire = (type) => container.dispatchEvent(new Event(type));
  return { time, hold, seen, fire };
}

test("the order that waited is shown when the pointer leaves", () => {
  const { hold, seen, fire } = setUpHold();
  fire("pointerover");
  assert.deepEqual(hold.order(["a", "b"], ["b", "a"], false), ["a", "b"]);
  fire("pointerleave");
  assert.equal(seen.ends, 1);
  assert.deepEqual(hold.order(["a", "b"], ["b", "a"], false), ["b", "a"]);
});

test("an order that the visitor asked for is shown at once, and so is the first one", () => {
  const { hold, fire } = setUpHold();
  fire("pointerover");
  assert.deepEqual(hold.order(["a", "b"], ["b", "a"], true), ["b", "a"]);
  assert.deepEqual(hold.order([], ["b", "a"], false), ["b", "a"]);
});

test("the focus holds the order while it moves from card to card", () => {
  const { time, hold, seen, fire } = setUpHold();
  fire("focusin");
  hold.order(["a", "b"], ["b", "a"], false);
  fire("focusout");
  fire("focusin");
  time.pass(1);
  assert.equal(seen.ends, 0);
  fire("focusout");
  time.pass(1);
  assert.equal(seen.ends, 1);
});

test("a pointer that was left on the cards holds the order no longer than a minute after its last movement", () => {
  const { time, hold, seen, fire } = setUpHold();
  fire("pointerover");
  hold.order(["a", "b"], ["b", "a"], false);
  time.pass(LEFT_MS - 1_000);
  fire("pointermove");
  time.pass(LEFT_MS - 1_000);
  assert.equal(seen.ends, 0);
  time.pass(LEFT_MS);
  assert.equal(seen.ends, 1);
  assert.equal(time.running, 0);
});

test("only cards that moved and are seen glide, and none if they are too many", () => {
  const box = (left, top) => ({ left, top, width: 100, height: 100 });
  const before = new Map([["same", box(0, 0)], ["moved", box(0, 200)], ["far", box(0, 5_000)], ["hidden", { left: 0, top: 0, width: 0, height: 0 }]]);
  const after = new Map([["same", box(0, 0)], ["moved", box(120, 0)], ["far", box(0, 6_000)], ["hidden", box(9, 9)], ["new", box(5, 5)]]);
  assert.deepEqual(movesOf(before, after, 800), [{ key: "moved", x: -120, y: 200 }]);
  const many = (shift) => new Map(Array.from({ length: MAX_MOVES + 1 }, (_, n) => [n, box(n + shift, 0)]));
  assert.deepEqual(movesOf(many(0), many(9), 800), []);
});

test("a device that is slow twice in a row has fewer clouds in detail", () => {
  const limit = new DetailLimit(DETAIL_STEPS);
  limit.add(SLOW, 20, 0);
  assert.equal(limit.clouds, 24, "once is an accident");
  limit.add(FAST, 20, 15_000);
  limit.add(SLOW, 20, 30_000);
  assert.equal(limit.clouds, 24);
  limit.add(SLOW, 20, 45_000);
  assert.equal(limit.clouds, 12);
  limit.add(SLOW, 3, 60_000);
  limit.add(SLOW, 3, 75_000);
  assert.equal(limit.clouds, 12, "three clouds are never a crowd");
});

test("more detail is tried again after ten minutes, and ever more rarely", () => {
  const limit = new DetailLimit(DETAIL_STEPS);
  const changes = [];
  let before = limit.clouds;
  for (let now = 0; now < 12 * HOUR_MS; now += 15_000) {
    limit.add(20 <= limit.clouds ? SLOW : FAST, 20, now);
    if (limit.clouds > before) changes.push(now);
    before = limit.clouds;
  }
  assert.ok(changes.length >= 3 && changes.length <= 7, `${changes}`);
  const pauses = changes.slice(1).map((time, index) => time - changes[index]);
  assert.deepEqual(pauses, [...pauses].sort((one, other) => one - other));
});

test("a crowd that is slow anyway changes nothing", () => {
  const limit = new DetailLimit(DETAIL_STEPS);
  for (let now = 0; now < HOUR_MS; now += 15_000) limit.add(SLOW, 2_000, now);
  assert.equal(limit.clouds, 24);
});

test("the middle time between frames leaves out the pause of a collector", () => {
  assert.equal(middleFrameMs([0, 16, 32, 900, 916, 932]), 16);
  assert.equal(middleFrameMs([]), 0);
});

test("in a mirrored page the arrow keys follow the eye", () => {
  assert.deepEqual(["ArrowLeft", "ArrowRight", "ArrowUp"].map((key) => keyStep(key, 7, 21, true)), [1, -1, -7]);
});

test("frames are measured while something moves, and a slow sample is repeated soon", () => {
  const time = new ManualClock();
  const seen = { frames: 0, limits: [], frameMs: SLOW, animations: 1 };
  const window = {
    document: { hidden: false, getAnimations: () => Array(seen.animations) },
    requestAnimationFrame: (callback) => time.timers.setTimeout(() => { seen.frames += 1; callback(time.monotonic()); }, seen.frameMs),
    setTimeout: time.timers.setTimeout,
    setInterval: (callback, ms) => time.timers.setTimeout(callback, ms),
  };
  watchFrames(window, () => 20, new DetailLimit(DETAIL_STEPS), (clouds) => seen.limits.push(clouds));
  time.pass(8_000);
  assert.deepEqual(seen.limits, [12]);
  assert.ok(seen.frames < 60);
  seen.frames = seen.animations = 0;
  time.pass(60_000);
  assert.equal(seen.frames, 0, "a page at rest is not drawn for that");
});
