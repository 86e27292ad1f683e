/** What a pillow's view says of its past, in English. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Calendar } from "../../services/gateway/src/gateway/static/page/calendar.js";
import { PastWords } from "../../services/gateway/src/gateway/static/page/past_words.js";
import { Times } from "../../services/gateway/src/gateway/static/page/times.js";
import { english } from "./english.js";

const NOW = Date.UTC(2026, 10, 29, 18, 5, 7);
const HOUR_MS = 3_600_000;
/** Intl writes a narrow space before AM and PM. */
const plain = (text) => text.replace(/\s/g, " ");
const words = new PastWords({ texts: english, times: new Times(english, "Europe/Berlin"), calendar: new Calendar("Europe/Berlin") });
const moment = (agoMs, kind, more = {}) => ({ time: NOW - agoMs, kind, motion: undefined, step: null, ...more });
const past = (...one) => { const shown = words.past(moment(...one), NOW); return { ...shown, when: plain(shown.when) }; };

test("a past time has its state, its picture, and says that it is a replay", () => {
  assert.deepEqual(past(60_000, "hugging"), {
    state: "hugging", pose: "hugging", activity: "Hugging", when: `Replay of 07:04:07 PM, ${plain(english.age(60_000))}`, isKnown: true, key: "hugging ", motion: undefined,
  });
});

test("sleep is shown as not connected, and what nobody knows as that", () => {
  const shown = (kind) => { const { state, pose, activity, isKnown } = past(0, kind); return [state, pose, activity, isKnown]; };
  assert.deepEqual(shown("asleep"), ["notconnected", "notconnected", "Asleep", true]);
  assert.deepEqual(shown("unheard"), ["unknown", "notconnected", "Nobody listened", false]);
  assert.deepEqual(shown("unknown"), ["unknown", "notconnected", "Not known", false]);
});

test("a time of another day has its day; yesterday is one of the visitor's calendar", () => {
  // 00:05 in Berlin is the day before in UTC.
  const midnight = Date.UTC(2026, 10, 28, 23, 5);
  assert.match(past(NOW - midnight, "neutral").when, /^Replay of 12:05:00 AM, /);
  assert.equal(past(NOW - midnight + 600_000, "neutral").when, "Replay of Sat, Nov 28, 11:55:00 PM");
});

test("each moment with samples is another one, so that it is played again", () => {
  const motion = [[0, 0, 1]];
  assert.notEqual(past(2_000, "shaking", { motion }).key, past(1_000, "shaking", { motion }).key);
  assert.equal(past(2_000, "shaking").key, past(1_000, "shaking").key);
});

test("the slider says the present state, a past one, or what a step had", () => {
  const step = { from: NOW - 2 * HOUR_MS, to: NOW - HOUR_MS, ms: new Map([["hugging", 41_000], ["neutral", 100_000]]), episodes: { hugging: 1 }, asleepMs: 0, unheardMs: 0 };
  const value = (one, state) => plain(words.value(one, state, NOW));
  assert.equal(value(null, "hugging"), "Now: Hugging");
  assert.equal(value(null, undefined), "Now: Not known");
  assert.equal(value(moment(60_000, "asleep"), "hugging"), "07:04:07 PM: Asleep");
  assert.equal(value(moment(90 * 60_000, "hugging", { step }), "neutral"), "05:05 PM – 06:05 PM: Hugging 41 sec");
});

test("a note says why there is nothing, and where the numbers come from", () => {
  const note = (kept, view = {}) => words.note({ isFailing: false, isMemory: false, value: undefined, ...kept }, { hasSteps: true, isLive: true, ...view });
  assert.equal(note({}), "Asking for the past…");
  assert.equal(note({}, { isLive: false }), "");
  assert.match(note({ isFailing: true, value: [1] }), /^The past cannot be told now/);
  assert.equal(note({ value: [] }), "Nothing is known of this time.");
  assert.equal(note({ value: [] }, { hasSteps: false }), "", "the strip draws states that came since");
  assert.match(note({ value: [1], isMemory: true }), /^There is no recorder/);
  assert.equal(note({ value: [1] }), "");
});

test("of a pillow that only the past knows it is said since when nobody heard it", () => {
  assert.equal(plain(words.lastHeard(NOW)), "not heard since Sun, Nov 29, 07:05 PM");
  assert.equal(words.lastHeard(NaN), "");
});
