import assert from "node:assert/strict";
import { test } from "node:test";

import { Announcer, MIN_INTERVAL_MS, MIN_INTERVAL_OF_MANY_MS } from "../../services/gateway/src/gateway/static/page/announcer.js";
import { english } from "./english.js";

const T = 1_800_000_000_000;
const activityOf = (id) => `${id} does`;

test("the first change is announced at once, others after MIN_INTERVAL_MS, each once", () => {
  const announcer = new Announcer(english);
  assert.equal(announcer.next(T, activityOf), "");
  announcer.add("a");
  assert.equal(announcer.next(T, activityOf), "a: a does.");
  assert.equal(announcer.next(T + MIN_INTERVAL_MS, activityOf), "");
  announcer.add("a");
  announcer.add("b");
  announcer.add("a");
  assert.equal(announcer.next(T + MIN_INTERVAL_MS - 1, activityOf), "");
  assert.equal(announcer.next(T + MIN_INTERVAL_MS, activityOf), "a: a does. b: b does.");
  assert.equal(announcer.next(T + 9 * MIN_INTERVAL_MS, activityOf), "");
});

test("an announcement gives the activity at its own time", () => {
  const announcer = new Announcer(english);
  announcer.add("a");
  assert.equal(announcer.next(T, () => "Resting"), "a: Resting.");
});

test("more than three clouds are counted, at most every MIN_INTERVAL_OF_MANY_MS", () => {
  const announcer = new Announcer(english);
  const many = () => ["a", "b", "c", "d"].forEach((id) => announcer.add(id));
  many();
  assert.equal(announcer.next(T, activityOf), "4 clouds changed.");
  many();
  assert.equal(announcer.next(T + MIN_INTERVAL_MS, activityOf), "");
  assert.equal(announcer.next(T + MIN_INTERVAL_OF_MANY_MS - 1, activityOf), "");
  assert.equal(announcer.next(T + MIN_INTERVAL_OF_MANY_MS, activityOf), "4 clouds changed.");
});

test("in the detail view only its own cloud is announced", () => {
  const announcer = new Announcer(english);
  for (const id of ["a", "b", "c", "d", "e"]) announcer.add(id);
  assert.equal(announcer.next(T, activityOf, "c"), "c: c does.");
  assert.equal(announcer.next(T + MIN_INTERVAL_MS, activityOf), "");
});
