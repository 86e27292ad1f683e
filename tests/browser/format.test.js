import assert from "node:assert/strict";
import { test } from "node:test";

import {
  announcementText,
  clockSentences,
  describePillow,
  isStill,
} from "../../services/gateway/src/gateway/static/cloud/format.js";
import { english } from "./english.js";

const known = (fresh, ageMs, isRetained = true) => ({ fresh, ageMs, isRetained });

test("an announcement names up to three clouds, and counts more", () => {
  const changes = new Map([["cloud-1", "Hugging"], ["cloud-2", "Resting"]]);
  assert.equal(announcementText(changes, english), "cloud-1: Hugging. cloud-2: Resting.");
  for (const id of ["a", "b", "c"]) changes.set(id, "Spinning");
  assert.equal(announcementText(changes, english), "5 clouds changed.");
  assert.equal(announcementText(new Map(), english), "");
});

test("a stale or quiet state is not described as current", () => {
  const hug = { pillow: "cloud-1", state: "hugging" };
  assert.deepEqual(describePillow(hug, known("live", 500), english), { state: "hugging", pose: "hugging", activity: "Hugging", age: "just now", when: "just now" });
  assert.equal(describePillow(hug, known("stale", 500), english).activity, "Was hugging");
  const { age, when } = describePillow(hug, known("quiet", 18_000), english);
  assert.deepEqual([age, when], ["18 sec. ago", "quiet, 18 sec. ago"]);
});

test("a cloud stands still while its state is quiet or stale", () => {
  assert.deepEqual(["live", "quiet", "stale", "notconnected", "unknown"].map(isStill), [false, true, true, false, false]);
});

test("a pillow that is not connected is described with its last state", () => {
  const gone = { pillow: "cloud-1", state: "notconnected", last: "hugging" };
  const expected = { state: "notconnected", pose: "notconnected", activity: "Not connected", age: "3 min. ago", when: "last hugging, 3 min. ago" };
  assert.deepEqual(describePillow(gone, known("notconnected", 180_000), english), expected);
  assert.equal(describePillow({ ...gone, last: undefined }, known("notconnected", 180_000), english).when, "3 min. ago");
});

test("a pillow without a state is described as unknown", () => {
  assert.deepEqual(describePillow(undefined, known("unknown", NaN), english), { state: "unknown", pose: "notconnected", activity: "No word yet", age: "", when: "" });
});

test("where the broker retains no states, a pillow without one is waited for and does not sleep", () => {
  const { pose, activity } = describePillow(undefined, known("unknown", NaN, false), english);
  assert.deepEqual([pose, activity], ["neutral", "Waiting for news"]);
});

test("a wrong clock of a pillow is named in place of the age while it reports", () => {
  for (const clock of ["ahead", "behind"]) {
    const pillow = { pillow: "cloud-1", state: "hugging", clock };
    const { activity, age, when } = describePillow(pillow, known("live", 500), english);
    assert.deepEqual([activity, age, when], ["Hugging", `its clock is ${clock}`, `its clock is ${clock}`]);
    assert.equal(clockSentences(pillow, "live", english), `This pillow's clock is wrong: it is ${clock}. The time is the queue's.`);
  }
});

test("of a silent or stale pillow the age is given, not its clock", () => {
  const pillow = { pillow: "cloud-1", state: "hugging", clock: "ahead" };
  assert.equal(describePillow(pillow, known("stale", 18_000), english).when, "18 sec. ago");
  assert.equal(clockSentences(pillow, "stale", english), "This pillow's clock is wrong: it is ahead.");
});

test("the state of a pillow that reports with a clock behind is not described as current, and its age is not given", () => {
  const pillow = { pillow: "cloud-1", state: "hugging", clock: "behind" };
  const { activity, when } = describePillow(pillow, known("quiet", 7_200_000), english);
  assert.deepEqual([activity, when], ["Was hugging", "its clock is behind"]);
  assert.match(clockSentences(pillow, "quiet", english), /clock is wrong: it is behind\. What it reports counts as older/);
});

test("a field `clock` with another value is the pillow's own", () => {
  const pillow = { pillow: "cloud-1", state: "hugging", clock: "analogue" };
  assert.equal(describePillow(pillow, known("live", 500), english).when, "just now");
  assert.equal(clockSentences(pillow, "live", english), "");
  assert.equal(clockSentences(undefined, "unknown", english), "");
});
