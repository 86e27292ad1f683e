/** What the wall is made of: who is on it, in which order, and where. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Fleet } from "../../services/gateway/src/gateway/static/page/fleet.js";
import { gridOf, inSight, misplaced, placeOf, stepOf } from "../../services/gateway/src/gateway/static/page/grid.js";
import { readHash, writeHash } from "../../services/gateway/src/gateway/static/page/route.js";
import { seeded } from "./fakes.js";

const ALL = { states: [], name: "", order: "name" };

test("names stand as people order them, however they come and go", () => {
  const fleet = new Fleet();
  const random = seeded(3);
  const model = new Set();
  for (let turn = 0; turn < 3_000; turn += 1) {
    const id = `cloud-${Math.floor(random() * 200)}`;
    if (random() < 0.6) { fleet.add(id); model.add(id); } else { fleet.remove(id); model.delete(id); }
  }
  const numbers = [...model].map((id) => Number(id.slice(6))).sort((one, other) => one - other);
  assert.deepEqual(fleet.names, numbers.map((n) => `cloud-${n}`));
});

test("names of every kind stand as the language's own order has them", () => {
  const fleet = new Fleet();
  const random = seeded(4);
  const any = (letters) => letters[Math.floor(random() * letters.length)];
  for (let turn = 0; turn < 2_000; turn += 1) fleet.add(any("az09") + Array.from({ length: Math.floor(random() * 5) }, () => any("ab-0129")).join(""));
  fleet.add(`a${"9".repeat(62)}`);
  fleet.add(`a1${"0".repeat(61)}`);
  const { compare } = new Intl.Collator("en", { numeric: true });
  const wrong = fleet.names.filter((name, place) => place > 0 && compare(fleet.names[place - 1], name) > 0);
  assert.deepEqual(wrong, []);
});

test("it is sifted by state and name, and ordered by name, state or age", () => {
  const fleet = new Fleet();
  const facts = { a1: ["hugging", 5], a2: ["neutral", 9], b10: ["hugging", 7], b9: ["neutral", 9] };
  Object.keys(facts).forEach((id) => fleet.add(id));
  const sifted = (sift) => fleet.sifted({ ...ALL, ...sift }, (id) => facts[id][0], (id) => facts[id][1], ["neutral", "hugging"]).join(" ");
  assert.equal(sifted({}), "a1 a2 b9 b10");
  assert.equal(sifted({ states: ["hugging"] }), "a1 b10");
  assert.equal(sifted({ name: " B " }), "b9 b10");
  assert.equal(sifted({ order: "state" }), "a2 b9 a1 b10");
  assert.equal(sifted({ order: "newest" }), "a2 b9 b10 a1");
  assert.equal(sifted({ order: "oldest" }), "a1 b10 a2 b9");
  assert.equal(fleet.names.join(" "), "a1 a2 b9 b10", "the names themselves are not touched");
  assert.deepEqual([...fleet.counts((id) => facts[id][0])], [["hugging", 2], ["neutral", 2]]);
});

test("no tile lies on another, none sticks out, and all that is in sight is found", () => {
  const random = seeded(11);
  for (let turn = 0; turn < 500; turn += 1) {
    const size = { least: 40 + random() * 200, height: 50 + random() * 200, gap: Math.floor(random() * 20) };
    const space = 60 + random() * 2_000;
    const count = Math.floor(random() * 900);
    const grid = gridOf(count, space, size);
    assert.ok(grid.columns * grid.width + (grid.columns - 1) * grid.gap <= space + 1e-6);
    assert.ok(grid.columns === 1 || grid.width >= size.least - 1e-6);
    const top = random() * grid.total;
    const bottom = top + 900;
    const [first, end] = inSight(count, top, bottom, grid);
    for (let index = 0; index < count; index += 1) {
      const place = placeOf(index, grid);
      assert.ok(place.top + grid.height <= grid.total + 1e-6);
      const isSeen = place.top < bottom && place.top + grid.height > top;
      if (isSeen) assert.ok(index >= first && index < end, `${index} not in ${first}..${end}`);
    }
  }
});

test("arrow keys go to neighbours, and others nowhere", () => {
  assert.deepEqual(["ArrowRight", "ArrowUp", "PageDown", "Home", "x"].map((key) => stepOf(key, 7, 21)), [1, -7, 21, -Infinity, undefined]);
});

test("what is misplaced is the least that has to move", () => {
  assert.deepEqual([...misplaced([90, 91, 10, 11, 12])], [90, 91]);
  assert.deepEqual([...misplaced([1, 2, 3])], []);
  assert.deepEqual([...misplaced([])], []);
  const random = seeded(2);
  for (let turn = 0; turn < 200; turn += 1) {
    const ranks = Array.from({ length: 30 }, (_, n) => [random(), n]).sort().map(([, n]) => n);
    const wrong = misplaced(ranks);
    const rest = ranks.filter((rank) => !wrong.has(rank));
    assert.deepEqual(rest, [...rest].sort((one, other) => one - other));
    const around = misplaced(ranks, 7);
    assert.ok(!around.has(7));
    const kept = ranks.filter((rank) => !around.has(rank));
    assert.deepEqual(kept, [...kept].sort((one, other) => one - other));
  }
});

test("what has the focus stands still, and all others go round it", () => {
  assert.deepEqual([...misplaced([10, 11, 12, 1], 1)], [10, 11, 12]);
  assert.deepEqual([...misplaced([10, 1, 2, 3], 10)], [1, 2, 3]);
});

test("an address says what is looked at, and comes back as it went", () => {
  assert.equal(readHash("#cloud-1").pillow, "cloud-1");
  assert.deepEqual(readHash(""), { pillow: null, sift: ALL });
  for (const hash of ["#", "#%", "#Cloud 1", "#bridge", "#order=sideways", "#state="]) assert.deepEqual(readHash(hash), { pillow: null, sift: ALL }, hash);
  for (const sift of [ALL, { states: ["hugging", "neutral"], name: "a&b=ü %", order: "newest" }, { ...ALL, name: "cloud-1" }]) {
    assert.deepEqual(readHash(writeHash(sift)).sift, sift);
  }
});
