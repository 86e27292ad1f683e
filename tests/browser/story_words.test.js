/** The story of a pillow in words, in English. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { cellText, heatCaption, hugsText, countTitle, kindLabel, lastHugText, speedText, totalsText } from "../../services/gateway/src/gateway/static/page/story_words.js";
import { SPANS } from "../../services/gateway/src/gateway/static/page/spans.js";
import { Times } from "../../services/gateway/src/gateway/static/page/times.js";
import { english } from "./english.js";

const T = Date.UTC(2026, 10, 29, 18, 5, 7);
const times = new Times(english, "Europe/Berlin");
/** Intl writes a narrow space before AM and PM. */
const plain = (text) => text.replace(/\s/g, " ");
const hugs = (count, more = {}) => ({ hugs: count, lastEnd: count > 0 ? T - 240_000 : null, longestMs: 41_200, since: null, ...more });

test("a card says how often its pillow was hugged, and from when on that was counted", () => {
  assert.equal(hugsText(null, english, times), "");
  assert.deepEqual([0, 1, 4].map((count) => hugsText(hugs(count), english, times)), ["no hug today", "1 hug today", "4 hugs today"]);
  assert.equal(plain(hugsText(hugs(4, { since: T }), english, times)), "4 hugs since 07:05 PM");
  assert.equal(hugsText(hugs(0, { since: NaN }), english, times), "no hug since the gateway started");
  assert.deepEqual([hugs(1), hugs(1, { since: NaN }), hugs(1, { since: T }), null].map((one) => plain(countTitle("hugs", one, english, times))), [
    "Hugs today", "Hugs since the gateway started", "Hugs since 07:05 PM", "Hugs today",
  ]);
  assert.equal(plain(countTitle("punches", hugs(0, { since: T }), english, times)), "Punches since 07:05 PM");
});

test("the last hug has an age, unless the pillow is hugged now, and the longest one a length", () => {
  const text = (one, isHugging = false) => lastHugText(one, { now: T, isHugging }, english);
  assert.equal(text(hugs(4)), `last ${english.age(240_000)}, longest 41 sec`);
  assert.equal(text(hugs(4), true), "hugged right now, longest 41 sec");
  assert.equal(text(hugs(1, { longestMs: 900 })), `last ${english.age(240_000)}`);
  assert.deepEqual([text(null), text(null, true), text(hugs(0, { longestMs: 0 }))], ["", "", ""]);
  assert.equal(text(hugs(0, { longestMs: 0 }), true), "hugged right now");
});

test("what was in a time names the gestures, else what it mostly was", () => {
  assert.equal(totalsText([["neutral", 250_000], ["hugging", 41_000], ["punching", 3_000]], english), "Hugging 41 sec · Punching 3 sec");
  assert.equal(totalsText([["asleep", 300_000], ["neutral", 1_000]], english), "Asleep 5 min");
  assert.equal(totalsText([], english), "");
  assert.deepEqual(["asleep", "unheard", "unknown", "neutral", "dancing"].map((kind) => kindLabel(kind, english)), ["Asleep", "Nobody listened", "Not known", "Resting", "dancing"]);
});

test("a cell of the heat map is said as what it is", () => {
  const cell = (kind, count = 0) => cellText({ kind, hugs: count, ms: 41_000 }, english);
  assert.deepEqual([cell("hugged", 1), cell("hugged", 3), cell("hugged"), cell("none"), cell("asleep"), cell("unheard"), cell("ahead")], [
    "1 hug, 41 sec", "3 hugs, 41 sec", "a hug went on", "no hug", "asleep", "nobody listened", "still to come",
  ]);
});

test("the heat map has a caption of whole sentences", () => {
  const caption = (count, busiest, unheardMs = 0, days = 7) => plain(heatCaption({ days, hugs: count, busiest, unheardMs }, { texts: english, times }));
  assert.equal(caption(40, { from: 19, to: 21 }), "40 hugs in the last 7 days. Most of them between 7 PM and 9 PM.");
  assert.equal(caption(0, null, 7_200_000, 30), "No hug in the last 30 days. Nobody listened for 2 hr.");
  assert.equal(caption(5, { from: 23, to: 24 }), "5 hugs in the last 7 days. Most of them between 11 PM and 12 AM.");
  assert.equal(caption(1, null, 59_000), "1 hug in the last 7 days.");
});

test("a speed is a factor, and of a fast replay the time that passes in a second", () => {
  assert.deepEqual([0.25, 1, 60, 600, 3600, 86_400].map((speed) => speedText(speed, english)), ["¼×", "1×", "60×", "10 min a second", "1 hr a second", "1 day a second"]);
});

test("every span has its sentences", () => {
  for (const { name } of SPANS) for (const key of ["span", "title"]) assert.notEqual(english.format(`story.${key}-${name}`), `story.${key}-${name}`);
});

test("times are the visitor's, by the visitor's clock if that is wrong", () => {
  const wrong = new Times(english, "Europe/Berlin");
  const shown = (offset) => { wrong.setOffset(offset); return plain(wrong.format(T, "second")); };
  assert.deepEqual([null, 20_000, 3_600_000, -3_600_000].map(shown), ["07:05:07 PM", "07:05:07 PM", "06:05:07 PM", "08:05:07 PM"]);
  assert.equal(wrong.format(T, "day"), "29 Sun", "a day is one of the gateway's clock");
  assert.equal(plain(times.range(T, T + 300_000)), "07:05 PM – 07:10 PM");
});
