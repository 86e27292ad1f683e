/** The wall: which pillows are on it, in which order, and where. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Roster } from "../../services/gateway/src/gateway/static/page/roster.js";
import { ranksToMove } from "../../services/gateway/src/gateway/static/page/dom_order.js";
import { computeGrid, tilePosition, visibleRange } from "../../services/gateway/src/gateway/static/page/grid.js";
import { keyStep } from "../../services/gateway/src/gateway/static/page/wall_keys.js";
import { formatHash, parseHash } from "../../services/gateway/src/gateway/static/page/route.js";
import { seeded } from "./fakes.js";

const ALL = { states: [], name: "", order: "name" };

test("ids stay sorted with their numbers in numerical order", () => {
  const roster = new Roster();
  const random = seeded(3);
  const model = new Set();
  for (let turn = 0; turn < 3_000; turn += 1) {
    const id = `cloud-${Math.floor(random() * 200)}`;
    if (random() < 0.6) { roster.add(id); model.add(id); } else { roster.remove(id); model.delete(id); }
  }
  const numbers = [...model].map((id) => Number(id.slice(6))).sort((one, other) => one - other);
  assert.deepEqual(roster.ids, numbers.map((n) => `cloud-${n}`));
});

test("ids sort as Intl.Collator with numeric order sorts them", () => {
  const roster = new Roster();
  const random = seeded(4);
  const any = (letters) => letters[Math.floor(random() * letters.length)];
  for (let turn = 0; turn < 2_000; turn += 1) roster.add(any("az09") + Array.from({ length: Math.floor(random() * 5) }, () => any("ab-0129")).join(""));
  roster.add(`a${"9".repeat(62)}`);
  roster.add(`a1${"0".repeat(61)}`);
  const { compare } = new Intl.Collator("en", { numeric: true });
  const wrong = roster.ids.filter((name, place) => place > 0 && compare(roster.ids[place - 1], name) > 0);
  assert.deepEqual(wrong, []);
});

test("pillows are filtered by state and name, and sorted by name, state or age", () => {
  const roster = new Roster();
  const facts = { a1: ["hugging", 5], a2: ["neutral", 9], b10: ["hugging", 7], b9: ["neutral", 9] };
  Object.keys(facts).forEach((id) => roster.add(id));
  const select = (filter, order = ["neutral", "hugging"]) => roster.select({ ...ALL, ...filter }, (id) => facts[id][0], (id) => facts[id][1], order).join(" ");
  assert.equal(select({}), "a1 a2 b9 b10");
  assert.equal(select({ states: ["hugging"] }), "a1 b10");
  assert.equal(select({ name: " B " }), "b9 b10");
  assert.equal(select({ order: "state" }), "a2 b9 a1 b10");
  assert.equal(select({ order: "state" }, ["hugging"]), "a1 b10 a2 b9", "a state that is unknown here comes last");
  assert.equal(select({ order: "newest" }), "a2 b9 b10 a1");
  assert.equal(select({ order: "oldest" }), "a1 b10 a2 b9");
  const hugs = { a2: 3, b9: 3, b10: 4 };
  assert.deepEqual(roster.select({ ...ALL, order: "hugged" }, () => "", () => 0, [], (id) => hugs[id] ?? 0), ["b10", "a2", "b9", "a1"]);
  assert.equal(roster.ids.join(" "), "a1 a2 b9 b10", "the roster itself is not changed");
  assert.deepEqual([...roster.countByState((id) => facts[id][0])], [["hugging", 2], ["neutral", 2]]);
});

test("tiles fill the width without overlap, and the visible range holds every tile in sight", () => {
  const random = seeded(11);
  for (let turn = 0; turn < 500; turn += 1) {
    const size = { minWidth: 40 + random() * 200, height: 50 + random() * 200, gap: Math.floor(random() * 20) };
    const space = 60 + random() * 2_000;
    const count = Math.floor(random() * 900);
    const grid = computeGrid(count, space, size);
    assert.ok(grid.columns * grid.width + (grid.columns - 1) * grid.gap <= space + 1e-6);
    assert.ok(grid.columns === 1 || grid.width >= size.minWidth - 1e-6);
    const top = random() * grid.totalHeight;
    const bottom = top + 900;
    const [first, end] = visibleRange(count, top, bottom, grid);
    for (let index = 0; index < count; index += 1) {
      const place = tilePosition(index, grid);
      assert.ok(place.top + grid.height <= grid.totalHeight + 1e-6);
      const isSeen = place.top < bottom && place.top + grid.height > top;
      if (isSeen) assert.ok(index >= first && index < end, `${index} not in ${first}..${end}`);
    }
  }
});

test("arrow keys move to neighbours, and other keys do not move", () => {
  assert.deepEqual(["ArrowRight", "ArrowUp", "PageDown", "Home", "x"].map((key) => keyStep(key, 7, 21)), [1, -7, 21, -Infinity, undefined]);
});

test("the ranks to move are the fewest that sort the sequence", () => {
  assert.deepEqual([...ranksToMove([90, 91, 10, 11, 12])], [90, 91]);
  assert.deepEqual([...ranksToMove([1, 2, 3])], []);
  assert.deepEqual([...ranksToMove([])], []);
  const random = seeded(2);
  for (let turn = 0; turn < 200; turn += 1) {
    const ranks = Array.from({ length: 30 }, (_, n) => [random(), n]).sort().map(([, n]) => n);
    const wrong = ranksToMove(ranks);
    const rest = ranks.filter((rank) => !wrong.has(rank));
    assert.deepEqual(rest, [...rest].sort((one, other) => one - other));
    const around = ranksToMove(ranks, 7);
    assert.ok(!around.has(7));
    const kept = ranks.filter((rank) => !around.has(rank));
    assert.deepEqual(kept, [...kept].sort((one, other) => one - other));
  }
});

test("a fixed rank is not moved", () => {
  assert.deepEqual([...ranksToMove([10, 11, 12, 1], 1)], [10, 11, 12]);
  assert.deepEqual([...ranksToMove([10, 1, 2, 3], 10)], [1, 2, 3]);
});

test("a fragment is parsed to a route, and a filter survives formatting and parsing", () => {
  assert.equal(parseHash("#cloud-1").pillow, "cloud-1");
  assert.deepEqual(parseHash(""), { pillow: null, filter: ALL });
  for (const hash of ["#", "#%", "#Cloud 1", "#bridge", "#order=sideways", "#state="]) assert.deepEqual(parseHash(hash), { pillow: null, filter: ALL }, hash);
  for (const filter of [ALL, { states: ["hugging", "neutral"], name: "a&b=ü %", order: "newest" }, { ...ALL, states: ["some & new"] }, { ...ALL, name: "cloud-1" }]) {
    assert.deepEqual(parseHash(formatHash(filter)).filter, filter);
  }
});
