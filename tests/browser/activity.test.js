/** What a pillow did in each step of a time, and the heat map of it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { continueSteps } from "../../services/gateway/src/gateway/static/page/continued_steps.js";
import { Timeline } from "../../services/gateway/src/gateway/static/page/timeline.js";
import { emptyTimes, episodesBetween, kindOf, stepAt, stepsOf, totals } from "../../services/gateway/src/gateway/static/page/activity.js";
import { Calendar, HOUR_MS } from "../../services/gateway/src/gateway/static/page/calendar.js";
import { busiestHours, heatRows, heatVersion, LEVELS, totalHugs } from "../../services/gateway/src/gateway/static/page/heat_cells.js";
import { seeded } from "./fakes.js";

const at = (text) => Date.parse(text);
const T = at("2026-11-29T00:00:00Z");
const HOUR_S = 3600;

/** A step as the gateway answers it. */
const told = (index, seconds = {}, episodes = {}, { asleep_s = 0, unheard_s = 0 } = {}) => ({ at: new Date(T + index * HOUR_MS).toISOString(), seconds, episodes, asleep_s, unheard_s });

/** An hour of rest in which this many hugs began. */
function hour(from, hugs = 0, more = {}) {
  const ms = new Map([["neutral", HOUR_MS - hugs * 1000], ["hugging", hugs * 1000]]);
  return { from, to: from + HOUR_MS, ms, episodes: { hugging: hugs }, asleepMs: 0, unheardMs: 0, ...more };
}

const asleep = (from) => hour(from, 0, { ms: new Map(), asleepMs: HOUR_MS });
const unheard = (from) => hour(from, 0, { ms: new Map(), unheardMs: HOUR_MS });
/** The hours from one time until another. */
const hours = (from, to, make = hour) => Array.from({ length: (to - from) / HOUR_MS }, (_, index) => make(from + index * HOUR_MS));

test("steps of the gateway's answer end with it, and are found by their time", () => {
  const steps = stepsOf({ from: "", to: new Date(T + 1.5 * HOUR_MS).toISOString(), step_s: HOUR_S, source: "recorder", steps: [told(0, { hugging: 12.5 }), told(1)] });
  assert.deepEqual(steps.map(({ from, to }) => [from - T, to - T]), [[0, HOUR_MS], [HOUR_MS, 1.5 * HOUR_MS]]);
  assert.equal(steps[0].ms.get("hugging"), 12_500);
  assert.equal(stepAt(steps, T - 1), undefined);
  assert.equal(stepAt(steps, T + HOUR_MS), steps[1]);
  assert.equal(stepAt(steps, T + 2 * HOUR_MS), undefined);
  assert.equal(stepAt([], T), undefined);
});

test("a step is named by its longest gesture, else by what it mostly was; silence is never rest", () => {
  const [hugged, slept, nobody, rested, nothing, short] = stepsOf({
    from: "", to: new Date(T + 6 * HOUR_MS).toISOString(), step_s: HOUR_S, source: "recorder",
    steps: [told(0, { neutral: 3000, hugging: 2, punching: 1 }), told(1, { neutral: 100 }, {}, { asleep_s: 3500 }), told(2, {}, {}, { unheard_s: 3600 }), told(3, { neutral: 3000 }, {}, { asleep_s: 600 }), told(4), told(5, {}, { shaking: 1 }, { asleep_s: 3600 })],
  });
  assert.deepEqual([hugged, slept, nobody, rested, nothing, short].map(kindOf), ["hugging", "asleep", "unheard", "neutral", "unknown", "shaking"]);
  assert.deepEqual(totals([hugged, slept, nobody]), [["unheard", 3_600_000], ["asleep", 3_500_000], ["neutral", 3_100_000], ["hugging", 2000], ["punching", 1000]]);
  assert.deepEqual(emptyTimes([hugged, slept, nobody, rested]).map(({ from, to }) => [(from - T) / HOUR_MS, (to - T) / HOUR_MS]), [[1, 3]]);
});

test("episodes count in the step in which they began", () => {
  const steps = [hour(T, 2), hour(T + HOUR_MS, 3), hour(T + 2 * HOUR_MS, 4)];
  assert.equal(episodesBetween(steps, "hugging", T + HOUR_MS, Infinity), 7);
  assert.equal(episodesBetween(steps, "punching", T, Infinity), 0);
});

test("a heat map has a cell for every hour of every day, and says what it was", () => {
  const calendar = new Calendar("UTC");
  const now = T + 3.5 * HOUR_MS;
  const steps = [...hours(T - 24 * HOUR_MS, T, asleep), hour(T, 3), unheard(T + HOUR_MS), hour(T + 2 * HOUR_MS), { ...hour(T + 3 * HOUR_MS, 1), to: now }];
  const rows = heatRows(steps, calendar.lastDays(now, 2), calendar);
  assert.deepEqual(rows.map(({ day, cells }) => [day, cells.length]), [["2026-11-28", 24], ["2026-11-29", 24]]);
  assert.ok(rows[0].cells.every(({ kind }) => kind === "asleep"));
  assert.deepEqual(rows[1].cells.slice(0, 6).map(({ kind }) => kind), ["hugged", "unheard", "none", "hugged", "ahead", "ahead"]);
  assert.deepEqual(rows[1].cells.slice(0, 4).map(({ level, hugs }) => [level, hugs]), [[3, 3], [0, 0], [0, 0], [1, 1]]);
  assert.equal(rows[1].cells[3].to, now);
});

test("an hour without a step that has passed is one in which nobody listened", () => {
  const calendar = new Calendar("UTC");
  const rows = heatRows([hour(T), hour(T + 2 * HOUR_MS)], calendar.lastDays(T, 1), calendar);
  assert.deepEqual(rows[0].cells.slice(0, 4).map(({ kind }) => kind), ["none", "unheard", "none", "ahead"]);
});

test("where clocks are set forward an hour is missing, where they are set back one counts twice", () => {
  const calendar = new Calendar("Europe/Berlin");
  const spring = calendar.lastDays(at("2026-03-29T12:00:00Z"), 1);
  const short = heatRows(hours(spring[0].from, spring[0].to, (from) => hour(from, 1)), spring, calendar)[0].cells;
  assert.deepEqual(short.filter(({ kind }) => kind === "missing").map((one) => one.hour), [2]);
  const autumn = calendar.lastDays(at("2026-10-25T12:00:00Z"), 1);
  const long = heatRows(hours(autumn[0].from, autumn[0].to, (from) => hour(from, 1)), autumn, calendar)[0].cells;
  assert.deepEqual(long.filter(({ hugs }) => hugs === 2).map((one) => one.hour), [2]);
  assert.equal(long.reduce((sum, { hugs }) => sum + hugs, 0), 25);
});

test("no hug is lost, and more hugs have no lighter shade, in every zone", () => {
  const random = seeded(8);
  for (const zone of ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Auckland"]) {
    const calendar = new Calendar(zone);
    const days = calendar.lastDays(T + random() * 1e10, 30);
    const steps = hours(days[0].from, days[29].to, (from) => hour(from, Math.floor(random() ** 6 * 60)));
    const cells = heatRows(steps, days, calendar).flatMap((row) => row.cells);
    assert.equal(cells.reduce((sum, { hugs }) => sum + hugs, 0), steps.reduce((sum, { episodes }) => sum + episodes.hugging, 0));
    const sorted = [...cells].sort((one, other) => one.hugs - other.hugs);
    sorted.slice(1).forEach((cell, index) => assert.ok(cell.level >= sorted[index].level));
    assert.ok(cells.every(({ level, kind, hugs }) => level <= LEVELS && (level > 0) === (kind === "hugged") && (hugs === 0) === (kind !== "hugged")));
  }
});

/** Rows of one day with this many hugs in some hours. */
function day(hugs) {
  return [{ day: "", from: 0, cells: Array.from({ length: 24 }, (_, one) => ({ hour: one, hugs: hugs[one] ?? 0 })) }];
}

test("the busiest hours are one or two that follow each other, also over midnight", () => {
  assert.deepEqual(busiestHours(day({ 19: 5, 20: 4, 3: 1 })), { from: 19, to: 21 });
  assert.deepEqual(busiestHours(day({ 19: 9, 3: 2 })), { from: 19, to: 20 });
  assert.deepEqual(busiestHours(day({ 8: 1, 9: 20 })), { from: 9, to: 10 });
  assert.deepEqual(busiestHours(day({ 23: 5, 0: 5 })), { from: 23, to: 1 });
  assert.deepEqual(busiestHours(day({ 23: 9 })), { from: 23, to: 24 });
});

test("too few hugs, or as many in every hour, have no busiest hours", () => {
  assert.equal(busiestHours(day({})), null);
  assert.equal(busiestHours(day({ 4: 2 })), null);
  assert.equal(busiestHours(day(Object.fromEntries(Array.from({ length: 24 }, (_, one) => [one, 10])))), null);
});

/** A timeline of one pillow: states at these times in ms after T. */
function timelineOf(...states) {
  const made = new Timeline();
  for (const [ms, state, isHeard] of states) made.add({ pillow: "a", state, at: new Date(T + ms).toISOString() }, isHeard);
  return made;
}

const S = 1000;

test("an answer is continued until now by the states that the page knows", () => {
  const answered = { ...hour(T, 1), to: T + 600 * S };
  const known = timelineOf([0, "neutral"], [599 * S, "hugging"], [610 * S, "neutral"], [700 * S, "hugging"], [720 * S, "hugging"], [730 * S, "notconnected"]);
  const [step] = continueSteps([answered], HOUR_MS, T + 1000 * S, known);
  assert.deepEqual([step.from, step.to], [T, T + 1000 * S]);
  assert.equal(step.episodes.hugging, 2, "one that began within the answer is counted by it");
  assert.equal(step.ms.get("hugging"), answered.ms.get("hugging") + 40 * S);
  assert.equal(step.asleepMs, 270 * S);
  assert.deepEqual([answered.to, answered.episodes.hugging], [T + 600 * S, 1], "the answer stays as it is");
});

test("an hour that has begun since the answer has a step, and so a cell", () => {
  const calendar = new Calendar("UTC");
  const now = T + 2 * HOUR_MS + 60 * S;
  const known = timelineOf([0, "neutral"], [2 * HOUR_MS + 30 * S, "hugging"]);
  const steps = continueSteps([hour(T), { ...hour(T + HOUR_MS), to: T + 1.9 * HOUR_MS }], HOUR_MS, now, known);
  assert.deepEqual(steps.map(({ to }) => to - T), [HOUR_MS, 2 * HOUR_MS, 2 * HOUR_MS + 60 * S]);
  const [row] = heatRows(steps, calendar.lastDays(now, 1), calendar);
  assert.deepEqual(row.cells.slice(1, 4).map(({ kind, hugs }) => [kind, hugs]), [["none", 0], ["hugged", 1], ["ahead", 0]]);
});

test("of what nobody knows it is said that nobody listened, and no answer is not continued", () => {
  const [step] = continueSteps([{ ...hour(T), to: T + 60 * S }], HOUR_MS, T + 100 * S, timelineOf([90 * S, "hugging"]));
  assert.deepEqual([step.unheardMs, step.ms.get("hugging"), step.episodes.hugging], [30 * S, 10 * S, 0]);
  assert.deepEqual(continueSteps([], HOUR_MS, T, timelineOf([0, "hugging"])), []);
  const old = [hour(T)];
  assert.equal(continueSteps(old, HOUR_MS, T + HOUR_MS, timelineOf([0, "hugging"])), old);
});

test("reports of one state are one episode, after a silence they are another one", () => {
  const known = timelineOf([0, "hugging"], [20 * S, "hugging"], [51 * S, "hugging"], [60 * S, "neutral"], [61 * S, "punching"], [62 * S, "notconnected"], [63 * S, "hugging"]);
  const begun = (from, to) => known.episodes(T + from * S, T + to * S).map(({ state, at: time }) => [state, (time - T) / S]);
  assert.deepEqual(begun(-1, 100), [["hugging", 51], ["neutral", 60], ["punching", 61], ["hugging", 63]], "of the oldest state the beginning is not known");
  assert.deepEqual(begun(61, 63), [["hugging", 63]]);
});

test("a heat map has at least the hugs that the page tells of today", () => {
  const rows = [...day({ 3: 4 }), ...day({ 8: 1 })];
  assert.deepEqual([0, 1, 3].map((today) => totalHugs(rows, today)), [5, 5, 7]);
  assert.equal(totalHugs([], 2), 2);
});

test("a heat map is made anew when the last hours have changed, or a minute has passed", () => {
  const steps = [hour(T, 5), hour(T + HOUR_MS, 1), { ...hour(T + 2 * HOUR_MS, 0), to: T + 2.5 * HOUR_MS }];
  const version = heatVersion(steps, 1);
  assert.equal(heatVersion(steps.map((step) => ({ ...step, to: Math.max(step.to, T + 2.5 * HOUR_MS + 9 * S) })), 1), version);
  assert.notEqual(heatVersion(steps, 2), version);
  assert.notEqual(heatVersion([...steps.slice(0, 2), hour(T + 2 * HOUR_MS, 0)], 1), version);
  assert.notEqual(heatVersion([...steps.slice(0, 2), { ...hour(T + 2 * HOUR_MS, 1), to: T + 2.5 * HOUR_MS }], 1), version);
});
