import assert from "node:assert/strict";
import { test } from "node:test";

import {
  announcementText,
  clockSentences,
  describePillow,
  formatAge,
  formatCloudCount,
  formatDuration,
  formatLatency,
  formatPercent,
  isStill,
} from "../../services/gateway/src/gateway/static/cloud/format.js";

const label = (state) => ({ hugging: "Hugging", notconnected: "Not connected" })[state] ?? state;

const known = (fresh, ageMs, isRetained = true) => ({ fresh, ageMs, isRetained });

test("a duration is rounded down to its largest unit", () => {
  const formatted = [0, 999, 12_400, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000, 200_000_000].map(formatDuration);
  assert.deepEqual(formatted, ["0 s", "0 s", "12 s", "59 s", "1 min", "59 min", "1 h", "1 day", "2 days"]);
  assert.equal(formatDuration(-5), "0 s");
});

test("an age is 'just now' below 2 s, and empty if unknown", () => {
  assert.equal(formatAge(-400), "just now");
  assert.equal(formatAge(1_999), "just now");
  assert.equal(formatAge(2_000), "2 s ago");
  assert.equal(formatAge(NaN), "");
});

test("a latency that is an upper bound is formatted as 'under'", () => {
  assert.equal(formatLatency({ ms: 182.4, atMost: false }), "182 ms");
  assert.equal(formatLatency({ ms: 1240, atMost: false }), "1.2 s");
  assert.equal(formatLatency({ ms: 1240, atMost: true }), "under 2 s");
  assert.equal(formatLatency({ ms: 0, atMost: true }), "under 1 s");
});

test("a number from 0 to 1 is a percentage, anything else is empty", () => {
  assert.equal(formatPercent(0.814), "81 %");
  assert.equal(formatPercent(0), "0 %");
  for (const odd of [undefined, null, NaN, -0.1, 1.1, "x"]) assert.equal(formatPercent(odd), "", String(odd));
});

test("an announcement names up to three clouds, and counts more", () => {
  const changes = new Map([["cloud-1", "Hugging"], ["cloud-2", "Resting"]]);
  assert.equal(announcementText(changes), "cloud-1: Hugging. cloud-2: Resting.");
  for (const id of ["a", "b", "c"]) changes.set(id, "Spinning");
  assert.equal(announcementText(changes), "5 clouds changed.");
  assert.equal(announcementText(new Map()), "");
});

test("a number of clouds has the right plural", () => {
  assert.deepEqual([0, 1, 2].map(formatCloudCount), ["no clouds yet", "1 cloud", "2 clouds"]);
});

test("a stale or quiet state is not described as current", () => {
  const hug = { pillow: "cloud-1", state: "hugging" };
  assert.deepEqual(describePillow(hug, known("live", 500), label), { state: "hugging", pose: "hugging", activity: "Hugging", note: "", when: "just now" });
  assert.equal(describePillow(hug, known("stale", 500), label).activity, "Was hugging");
  const { note, when } = describePillow(hug, known("quiet", 18_000), label);
  assert.equal(note + when, "quiet, 18 s ago");
});

test("a cloud stands still while its state is quiet or stale", () => {
  assert.deepEqual(["live", "quiet", "stale", "notconnected", "unknown"].map(isStill), [false, true, true, false, false]);
});

test("a pillow that is not connected is described with its last state", () => {
  const gone = { pillow: "cloud-1", state: "notconnected", last: "hugging" };
  const expected = { state: "notconnected", pose: "notconnected", activity: "Not connected", note: "last hugging, ", when: "3 min ago" };
  assert.deepEqual(describePillow(gone, known("notconnected", 180_000), label), expected);
  assert.equal(describePillow({ ...gone, last: undefined }, known("notconnected", 180_000), label).note, "");
});

test("a pillow without a state is described as unknown", () => {
  assert.deepEqual(describePillow(undefined, known("unknown", NaN), label), { state: "unknown", pose: "notconnected", activity: "No word yet", note: "", when: "" });
});

test("where the broker retains no states, a pillow without one is waited for and does not sleep", () => {
  const { pose, activity } = describePillow(undefined, known("unknown", NaN, false), label);
  assert.deepEqual([pose, activity], ["neutral", "Waiting for news"]);
});

test("a wrong clock of a pillow is named in place of the age while it reports", () => {
  for (const clock of ["ahead", "behind"]) {
    const pillow = { pillow: "cloud-1", state: "hugging", clock };
    const { activity, note, when } = describePillow(pillow, known("live", 500), label);
    assert.deepEqual([activity, note, when], ["Hugging", "", `its clock is ${clock}`]);
    assert.equal(clockSentences(pillow, "live"), `This pillow's clock is wrong: it is ${clock}. The time is the queue's.`);
  }
});

test("of a silent or stale pillow the age is given, not its clock", () => {
  const pillow = { pillow: "cloud-1", state: "hugging", clock: "ahead" };
  assert.equal(describePillow(pillow, known("stale", 18_000), label).when, "18 s ago");
  assert.equal(clockSentences(pillow, "stale"), "This pillow's clock is wrong: it is ahead.");
});

test("the state of a pillow that reports with a clock behind is not described as current, and its age is not given", () => {
  const pillow = { pillow: "cloud-1", state: "hugging", clock: "behind" };
  const { activity, note, when } = describePillow(pillow, known("quiet", 7_200_000), label);
  assert.deepEqual([activity, note + when], ["Was hugging", "its clock is behind"]);
  assert.match(clockSentences(pillow, "quiet"), /clock is wrong: it is behind\. What it reports counts as older/);
});

test("a field `clock` with another value is the pillow's own", () => {
  const pillow = { pillow: "cloud-1", state: "hugging", clock: "analogue" };
  assert.equal(describePillow(pillow, known("live", 500), label).when, "just now");
  assert.equal(clockSentences(pillow, "live"), "");
  assert.equal(clockSentences(undefined, "unknown"), "");
});
