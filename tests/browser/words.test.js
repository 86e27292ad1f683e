import assert from "node:assert/strict";
import { test } from "node:test";

import {
  age,
  announcement,
  clouds,
  delayWords,
  duration,
  feeling,
  isStill,
  percent,
} from "../../services/gateway/src/gateway/static/cloud/words.js";

const label = (state) => ({ hugging: "Hugging", notconnected: "Not connected" })[state] ?? state;

test("a stretch of time is told in its largest whole unit", () => {
  const told = [0, 999, 12_400, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 200_000_000].map(duration);
  assert.deepEqual(told, ["0 s", "0 s", "12 s", "59 s", "1 min", "59 min", "1 h", "1 day", "2 days"]);
  assert.equal(duration(-5), "0 s");
});

test("an age is just now, some time ago, or not known", () => {
  assert.equal(age(-400), "just now");
  assert.equal(age(1_999), "just now");
  assert.equal(age(2_000), "2 s ago");
  assert.equal(age(NaN), "");
});

test("a delay from whole seconds is told as a bound, not as a measurement", () => {
  assert.equal(delayWords({ ms: 182.4, atMost: false }), "182 ms");
  assert.equal(delayWords({ ms: 1240, atMost: false }), "1.2 s");
  assert.equal(delayWords({ ms: 1240, atMost: true }), "under 2 s");
  assert.equal(delayWords({ ms: 0, atMost: true }), "under 1 s");
});

test("a share is a percentage, anything else nothing", () => {
  assert.equal(percent(0.814), "81 %");
  assert.equal(percent(0), "0 %");
  for (const odd of [undefined, null, NaN, -0.1, 1.1, "x"]) assert.equal(percent(odd), "", String(odd));
});

test("a few changes are told one by one, many by their number", () => {
  const changes = new Map([["cloud-1", "Hugging"], ["cloud-2", "Resting"]]);
  assert.equal(announcement(changes), "cloud-1: Hugging. cloud-2: Resting.");
  for (const id of ["a", "b", "c"]) changes.set(id, "Spinning");
  assert.equal(announcement(changes), "5 clouds changed.");
  assert.equal(announcement(new Map()), "");
});

test("clouds are counted", () => {
  assert.deepEqual([0, 1, 2].map(clouds), ["no clouds yet", "1 cloud", "2 clouds"]);
});

test("an old state is never told as what a pillow does now", () => {
  const hug = { pillow: "cloud-1", state: "hugging" };
  assert.deepEqual(feeling(hug, "live", 500, label), { state: "hugging", doing: "Hugging", note: "", when: "just now" });
  assert.equal(feeling(hug, "stale", 500, label).doing, "Was hugging");
  const { note, when } = feeling(hug, "quiet", 18_000, label);
  assert.equal(note + when, "quiet, 18 s ago");
});

test("a cloud moves only with what it may still be doing", () => {
  assert.deepEqual(["live", "quiet", "stale", "notconnected", "unknown"].map(isStill), [false, true, true, false, false]);
});

test("a pillow that is not connected tells what it did last, and when", () => {
  const gone = { pillow: "cloud-1", state: "notconnected", last: "hugging" };
  const expected = { state: "notconnected", doing: "Not connected", note: "last hugging, ", when: "3 min ago" };
  assert.deepEqual(feeling(gone, "notconnected", 180_000, label), expected);
  assert.equal(feeling({ ...gone, last: undefined }, "notconnected", 180_000, label).note, "");
});

test("of a pillow that never spoke, nothing is claimed", () => {
  assert.deepEqual(feeling(undefined, "unknown", NaN, label), { state: "unknown", doing: "No word yet", note: "", when: "" });
});
