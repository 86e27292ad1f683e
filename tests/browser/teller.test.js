import assert from "node:assert/strict";
import { test } from "node:test";

import { EVERY_MS, MANY_EVERY_MS, Teller } from "../../services/gateway/src/gateway/static/page/teller.js";

const T = 1_800_000_000_000;
const doing = (id) => `${id} does`;

test("the first news is told at once, the next after a while, and then once", () => {
  const teller = new Teller();
  assert.equal(teller.next(T, doing), "");
  teller.add("a");
  assert.equal(teller.next(T, doing), "a: a does.");
  assert.equal(teller.next(T + EVERY_MS, doing), "");
  teller.add("a");
  teller.add("b");
  teller.add("a");
  assert.equal(teller.next(T + EVERY_MS - 1, doing), "");
  assert.equal(teller.next(T + EVERY_MS, doing), "a: a does. b: b does.");
  assert.equal(teller.next(T + 9 * EVERY_MS, doing), "");
});

test("what is told is what a cloud does when it is told", () => {
  const teller = new Teller();
  teller.add("a");
  assert.equal(teller.next(T, () => "Resting"), "a: Resting.");
});

test("of many clouds the number is told, and seldom", () => {
  const teller = new Teller();
  const many = () => ["a", "b", "c", "d"].forEach((id) => teller.add(id));
  many();
  assert.equal(teller.next(T, doing), "4 clouds changed.");
  many();
  assert.equal(teller.next(T + EVERY_MS, doing), "");
  assert.equal(teller.next(T + MANY_EVERY_MS - 1, doing), "");
  assert.equal(teller.next(T + MANY_EVERY_MS, doing), "4 clouds changed.");
});

test("who looks at one cloud hears of no other", () => {
  const teller = new Teller();
  for (const id of ["a", "b", "c", "d", "e"]) teller.add(id);
  assert.equal(teller.next(T, doing, "c"), "c: c does.");
  assert.equal(teller.next(T + EVERY_MS, doing), "");
});
