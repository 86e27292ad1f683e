/** Wall mode: sizes on any screen, the night, new releases, and when it is loaded. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fitGrid, MAX_AT_ONCE } from "../../services/gateway/src/gateway/static/page/fit_grid.js";
import { tilePosition } from "../../services/gateway/src/gateway/static/page/grid.js";
import { isNight, NIGHT, parseDim } from "../../services/gateway/src/gateway/static/page/night.js";
import { INTERVAL_MS, isOtherRelease, MAX_WAIT_MS, processOf, ReleaseWatch } from "../../services/gateway/src/gateway/static/page/release_watch.js";
import { versionIn } from "../../services/gateway/src/gateway/static/page/version.js";
import { MIN_INTERVAL_MS } from "../../services/gateway/src/gateway/static/page/reloads.js";
import { hashOf, parseHash, wallHash } from "../../services/gateway/src/gateway/static/page/route.js";
import { WallModeLater } from "../../services/gateway/src/gateway/static/page/wall_mode_later.js";
import { ManualClock, seeded } from "./fakes.js";

const ALL = { states: [], name: "", order: "name" };
const settle = () => new Promise(setImmediate);

/** The box of each cloud. */
function boxes({ grid, range: [from, to] }) {
  return Array.from({ length: to - from }, (_, place) => ({ ...tilePosition(place, grid), width: grid.width, height: grid.height }));
}

test("every cloud is on the screen, on any screen, and none lies on another one", () => {
  const random = seeded(5);
  for (let turn = 0; turn < 300; turn += 1) {
    const [width, height] = [200 + random() * 4_000, 200 + random() * 2_200];
    const count = Math.floor(random() * (turn % 3 === 0 ? 40 : 2_500));
    const fit = fitGrid(count, width, height, { turn, hasLabels: turn % 2 === 0 });
    const all = boxes(fit);
    assert.ok(all.length <= MAX_AT_ONCE);
    for (const box of all) {
      assert.ok(box.left >= 0 && box.left + box.width <= width + 1e-6, `${count} on ${width} × ${height}`);
      assert.ok(box.top >= 0 && box.top + box.height <= height + 1e-6);
    }
    const { columns } = fit.grid;
    if (all.length > 1 && columns > 1) assert.ok(all[1].left >= all[0].left + all[0].width);
    if (all.length > columns) assert.ok(all[columns].top >= all[0].top + all[0].height);
    assert.ok(fit.picture <= fit.grid.height && (fit.picture * 240) / 210 <= fit.grid.width);
  }
});

test("one cloud fills a large screen, and five lie in two balanced rows, the second one centred", () => {
  const one = fitGrid(1, 3840, 2160);
  assert.ok(one.grid.width > 3_700 && one.grid.height > 2_000 && one.picture > 1_300);
  assert.equal(one.says, "story");
  const five = fitGrid(5, 1280, 720);
  assert.equal(five.grid.columns, 3);
  const [first, , third, fourth, fifth] = boxes(five);
  assert.ok(Math.abs(fourth.left - first.left - (third.left + third.width - fifth.left - fifth.width)) < 1e-6);
});

test("text is read across a room, or the card says less", () => {
  for (const count of [1, 2, 7, 24]) assert.ok(fitGrid(count, 1920, 1080).font >= 1080 * 0.015, `${count}`);
  for (const count of [1, 10, 60, 150, 400, 1_000]) {
    const { font, says } = fitGrid(count, 1920, 1080);
    assert.ok(says === "nothing" || font >= 16, `${count} clouds: ${says} in ${font} px`);
  }
  assert.equal(fitGrid(100, 1920, 1080).says, "name");
  assert.equal(fitGrid(900, 1920, 1080).says, "nothing");
});

test("where pillows have labels a card has room for an id, and says as much as without", () => {
  for (const [count, least] of [[1, 6.63], [5, 6.63], [20, 6.63], [24, 5.5]]) {
    const { says, grid, picture, font } = fitGrid(count, 1920, 1080, { hasLabels: true });
    assert.equal(says, fitGrid(count, 1920, 1080).says, `${count}`);
    // What the style sheet gives to name, id, state, facts and hugs.
    assert.ok(grid.height - picture >= least * font, `${count}: ${(grid.height - picture) / font}`);
  }
});

test("a crowd that is too large is shown in equal parts, and each cloud in one of them", () => {
  const seen = [0, 1, 2].flatMap((turn) => {
    const { range: [from, to], parts } = fitGrid(2_500, 1920, 1080, { turn });
    assert.equal(parts, 3);
    return Array.from({ length: to - from }, (_, place) => from + place);
  });
  assert.deepEqual(seen, Array.from({ length: 2_500 }, (_, place) => place));
  assert.deepEqual(fitGrid(2_500, 1920, 1080, { turn: 3 }).range, fitGrid(2_500, 1920, 1080).range);
});

test("without any cloud there is nothing to divide", () => {
  const { range, grid } = fitGrid(0, 1920, 1080);
  assert.deepEqual(range, [0, 0]);
  assert.ok(Object.values(grid).every(Number.isFinite));
});

test("the night is that of the address, or from 22 to 7", () => {
  const at = (hour) => new Date(2026, 10, 29, hour, 30);
  const hoursOf = (option) => Array.from({ length: 24 }, (_, hour) => hour).filter((hour) => isNight(parseDim(option), at(hour)));
  assert.deepEqual(hoursOf(null), [0, 1, 2, 3, 4, 5, 6, 22, 23]);
  assert.deepEqual(hoursOf("20-6"), [0, 1, 2, 3, 4, 5, 20, 21, 22, 23]);
  assert.deepEqual(hoursOf("1-4"), [1, 2, 3]);
  assert.deepEqual(hoursOf("off"), []);
  assert.equal(hoursOf("on").length, 24);
  for (const wrong of ["", "22", "7-7", "25-3", "night"]) assert.equal(parseDim(wrong), NIGHT, wrong);
});

test("the address of wall mode has its options and a filter; a pillow called wall has another one", () => {
  assert.deepEqual(parseHash("#wall"), { pillow: null, filter: ALL, wall: "" });
  assert.deepEqual(parseHash("#wall?dim=22-7&order=newest"), { pillow: null, filter: { ...ALL, order: "newest" }, wall: "dim=22-7&order=newest" });
  const filter = { states: ["hugging"], name: "a", order: "newest" };
  assert.deepEqual(parseHash(wallHash(filter)).filter, filter);
  assert.equal(wallHash(ALL), "#wall");
  assert.equal(parseHash(hashOf("wall")).pillow, "wall");
  assert.equal(parseHash(hashOf("wall-1")).pillow, "wall-1");
  assert.equal(hashOf("cloud-1"), "#cloud-1");
});

test("another release is known by its version, and an error page is none", () => {
  const version = versionIn("http://gateway/assets/0123456789ab/page/wall_mode.js");
  assert.equal(version, "assets/0123456789ab/");
  assert.equal(isOtherRelease("<a href='./assets/0123456789ab/x'>", version), false);
  assert.equal(isOtherRelease("<a href='./assets/ba9876543210/x'>", version), true);
  assert.equal(isOtherRelease("502 Bad Gateway", version), false);
  assert.equal(isOtherRelease("<a href='./assets/ba9876543210/x'>", ""), false);
  assert.deepEqual([processOf("k3f9:118"), processOf(null)], ["k3f9", ""]);
});

function setUpWatch({ random = () => 0.5, sinceLastMs = () => Infinity } = {}) {
  const time = new ManualClock();
  const seen = { fetched: 0, reloads: 0, page: "assets/0123456789ab/" };
  const fetchPage = async () => {
    seen.fetched += 1;
    if (seen.page === null) throw new Error("no network");
    return seen.page;
  };
  const watch = new ReleaseWatch("assets/0123456789ab/", fetchPage, time.timers, random, { sinceLastMs, reload: () => { seen.reloads += 1; } });
  return { time, seen, watch };
}

test("a wall looks for a new release when its gateway was restarted, some time after", async () => {
  const { time, seen, watch } = setUpWatch();
  watch.onReconnected();
  time.pass(MAX_WAIT_MS / 2 - 1);
  assert.equal(seen.fetched, 0);
  time.pass(1);
  await settle();
  assert.deepEqual([seen.fetched, seen.reloads], [1, 0], "the page is the same");
  seen.page = "assets/ba9876543210/";
  watch.onReconnected();
  time.pass(MAX_WAIT_MS);
  await settle();
  assert.equal(seen.reloads, 1);
  watch.close();
  assert.equal(time.running, 0);
});

test("a thousand walls do not come at once", () => {
  const random = seeded(8);
  const walls = Array.from({ length: 1_000 }, () => setUpWatch({ random }));
  const counts = [];
  for (const { watch } of walls) watch.onReconnected();
  for (let second = 0; second < MAX_WAIT_MS / 1_000; second += 1) {
    for (const { time } of walls) time.pass(1_000);
    counts.push(walls.reduce((sum, { seen }) => sum + seen.fetched, 0));
  }
  assert.equal(counts.at(-1), 1_000);
  assert.ok(Math.max(...counts.map((count, second) => count - (counts[second - 1] ?? 0))) < 30);
});

test("a page that cannot be fetched is asked for again, and a new one is not loaded in a circle", async () => {
  let since = 0;
  const { time, seen } = setUpWatch({ sinceLastMs: () => since });
  seen.page = null;
  time.pass(INTERVAL_MS * 1.5);
  await settle();
  assert.deepEqual([seen.fetched, seen.reloads], [1, 0]);
  seen.page = "assets/ba9876543210/";
  time.pass(INTERVAL_MS * 1.5);
  await settle();
  assert.deepEqual([seen.fetched, seen.reloads], [2, 0], "it was loaded a moment ago");
  since = MIN_INTERVAL_MS;
  time.pass(MIN_INTERVAL_MS);
  await settle();
  assert.equal(seen.reloads, 1);
});

test("wall mode is loaded when the address asks for it, and knows whether the visitor came from the page", async () => {
  const calls = [];
  const body = { dataset: {} };
  const later = () => new WallModeLater(body, async () => ({ set: (...one) => calls.push(one) }), assert.fail);
  const fromPage = later();
  fromPage.set(undefined);
  await settle();
  assert.deepEqual(calls, [], "nothing is loaded without need");
  fromPage.set("");
  assert.equal(body.dataset.wall, "");
  fromPage.set("dim=off");
  fromPage.set(undefined);
  assert.ok(!("wall" in body.dataset));
  await settle();
  assert.deepEqual(calls.at(-1), [undefined, false]);
  calls.length = 0;
  later().set("");
  fromPage.set("");
  await settle();
  assert.deepEqual(calls, [["", false], ["", true]]);
});

test("wall mode that could not be loaded is loaded again, because nobody is there to do it", async (context) => {
  context.mock.method(console, "warn", () => {});
  const calls = [];
  let isDown = true;
  let retry;
  const load = async () => {
    if (isDown) throw new Error("no network");
    return { set: (...one) => calls.push(one) };
  };
  new WallModeLater({ dataset: {} }, load, (callback) => { retry = callback; }).set("");
  await settle();
  isDown = false;
  retry();
  await settle();
  assert.deepEqual(calls, [["", false]]);
});
