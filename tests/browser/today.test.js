/** The hugs of today: the gateway's numbers and what the page has seen since. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Calendar } from "../../services/gateway/src/gateway/static/page/calendar.js";
import { SeenEpisodes } from "../../services/gateway/src/gateway/static/page/seen_episodes.js";
import { Today } from "../../services/gateway/src/gateway/static/page/today.js";
import { TodayPoll } from "../../services/gateway/src/gateway/static/page/today_poll.js";

/** 10:00 in Berlin. */
const T = Date.parse("2026-11-29T09:00:00Z");
const MIDNIGHT = Date.parse("2026-11-28T23:00:00Z");
const iso = (ms) => new Date(T + ms).toISOString();
const S = 1000;

/** Reports of one pillow, each of which the page receives with the one before. */
function reports(target, list, isSnapshot = false) {
  let previous;
  for (const [ms, state, more] of list) {
    const pillow = state === null ? null : { pillow: "a", state, at: iso(ms), ...more };
    target.add({ id: "a", pillow, previous }, isSnapshot);
    previous = pillow ?? undefined;
  }
}

const answer = (more = {}, pillows = { a: { hugs: 4, last_hug: iso(-60 * S), longest_hug_s: 41.2 } }) => ({ day: "2026-11-29", tz: "Europe/Berlin", source: "recorder", pillows, ...more });

function today(...answers) {
  const made = new Today(new Calendar("Europe/Berlin"));
  for (const one of answers) made.replace(one, T);
  return made;
}

test("before the first answer nothing is known", () => {
  const made = today();
  reports(made, [[0, "neutral"], [1 * S, "hugging"]]);
  assert.equal(made.of("a", T), null);
  assert.equal(made.isKnown(T), false);
});

test("hugs that the page sees are added to the gateway's", () => {
  const made = today(answer());
  reports(made, [[0, "neutral"], [1 * S, "hugging"], [2 * S, "hugging"], [4 * S, "neutral"], [5 * S, "hugging"], [105 * S, "punching"]]);
  assert.deepEqual(made.of("a", T + 200 * S), { hugs: 6, lastEnd: T + 5 * S, longestMs: 41_200, since: null });
});

test("a hug that the gateway counts already is not added", () => {
  const made = today();
  reports(made, [[-70 * S, "neutral"], [-65 * S, "hugging"], [-60 * S, "hugging"], [-58 * S, "neutral"]]);
  made.replace(answer(), T);
  assert.equal(made.of("a", T).hugs, 4);
  assert.equal(made.of("a", T).lastEnd, T - 58 * S, "but its end is known better");
});

test("a pillow that the gateway does not name has not been hugged", () => {
  const made = today(answer({}, {}));
  assert.deepEqual(made.of("b", T), { hugs: 0, lastEnd: null, longestMs: 0, since: null });
});

test("a hug of a snapshot is counted, unless the gateway may count it already", () => {
  const made = today(answer());
  reports(made, [[10 * S, "hugging"]], true);
  assert.equal(made.of("a", T + 20 * S).hugs, 5, "a pillow that is hugged right now has been hugged");
  made.replace(answer({}, { a: { hugs: 5, last_hug: iso(10 * S), longest_hug_s: 41.2 } }), T + 60 * S);
  assert.equal(made.of("a", T + 60 * S).hugs, 5);
  // Reports of one hug are up to 30 s apart.
  made.replace(answer({}, { a: { hugs: 5, last_hug: iso(-19 * S), longest_hug_s: 41.2 } }), T + 60 * S);
  assert.equal(made.of("a", T + 60 * S).hugs, 5);
});

test("a hug that a gateway without a database did not hear is not counted", () => {
  const made = today(answer({ source: "memory", since: iso(60 * S) }, {}));
  reports(made, [[10 * S, "hugging"]], true);
  assert.equal(made.of("a", T + 70 * S).hugs, 0);
});

test("today has at least the hugs that the activity of the pillow has, from the same source", () => {
  const made = today(answer());
  made.learn("a", { hugs: 6, source: "memory" }, T);
  assert.equal(made.of("a", T).hugs, 4, "memory does not count from the same time on");
  made.learn("a", { hugs: 6, source: "recorder" }, T);
  assert.equal(made.of("a", T).hugs, 6);
  assert.equal(made.of("b", T).hugs, 0);
  made.learn("a", { hugs: 3, source: "recorder" }, T);
  assert.equal(made.of("a", T).hugs, 4);
  made.learn("a", { hugs: 9, source: "recorder" }, T);
  made.replace(answer(), T + 1);
  assert.equal(made.of("a", T + 1).hugs, 4, "the gateway's newer numbers are right");
});

test("a number of punches is titled by what counted it", () => {
  const since = (source, ...answers) => today(...answers).countedBy(source, T).since;
  assert.equal(since("recorder", answer({ source: "memory", since: iso(-3600 * S) })), null);
  assert.equal(since("memory", answer({ source: "memory", since: iso(-3600 * S) })), T - 3600 * S);
  assert.ok(Number.isNaN(since("memory", answer())));
  assert.ok(Number.isNaN(since("memory")));
});

test("at midnight of the visitor nothing is known, until the gateway says what the new day has", () => {
  const made = today(answer());
  const next = MIDNIGHT + 24 * 3_600_000;
  assert.equal(made.of("a", next - 1).hugs, 4);
  assert.equal(made.isOver(next - 1), false);
  assert.equal(made.of("a", next), null);
  assert.equal(made.isOver(next), true);
  reports(made, [[next - T - 5 * S, "neutral"], [next - T - 3 * S, "hugging"], [next - T + 3 * S, "neutral"], [next - T + 5 * S, "hugging"]]);
  made.replace(answer({ day: "2026-11-30" }, { a: { hugs: 0, last_hug: new Date(next + 2 * S).toISOString(), longest_hug_s: 0 } }), next + 6 * S);
  assert.equal(made.of("a", next + 6 * S).hugs, 1, "the hug over midnight is yesterday's");
});

test("numbers that may miss hugs are shown for two minutes", () => {
  const made = today(answer());
  made.lose(T);
  assert.equal(made.of("a", T + 120 * S).hugs, 4);
  assert.equal(made.of("a", T + 121 * S), null);
  made.replace(answer(), T + 122 * S);
  assert.equal(made.of("a", T + 122 * S).hugs, 4);
});

test("a gateway without a database says since when it counts", () => {
  assert.ok(Number.isNaN(today(answer({ source: "memory" })).of("a", T).since));
  assert.equal(today(answer({ source: "memory", since: iso(-3600 * S) })).of("a", T).since, T - 3600 * S);
  assert.equal(today(answer({ source: "memory", since: "2026-11-20T00:00:00Z" })).of("a", T).since, null);
});

test("reports are one episode, after a silence they are another one", () => {
  const seen = new SeenEpisodes("hugging");
  reports(seen, [[0, "neutral"], [1 * S, "hugging"], [31 * S, "hugging"], [62 * S, "hugging"], [70 * S, "neutral"]]);
  assert.deepEqual(seen.of("a").map(({ from, to }) => [from - T, to - T]), [[1 * S, 31 * S], [62 * S, 70 * S]]);
});

test("what the gateway says of a silent pillow ends no episode, and the same report begins none", () => {
  const seen = new SeenEpisodes("hugging");
  const away = { last: "hugging", since: iso(35 * S) };
  reports(seen, [[0, "neutral"], [5 * S, "hugging"], [5 * S, "notconnected", away], [5 * S, "hugging"], [20 * S, "hugging"]]);
  assert.deepEqual(seen.of("a").map(({ from, to }) => [from - T, to - T]), [[5 * S, 20 * S]]);
});

test("a removed pillow has no episodes, and old ones are forgotten", () => {
  const seen = new SeenEpisodes("hugging");
  reports(seen, [[0, "neutral"], [1 * S, "hugging"], [5 * S, "neutral"], [9 * S, "hugging"]]);
  seen.forget(T + 6 * S);
  assert.equal(seen.of("a").length, 1);
  reports(seen, [[10 * S, null]]);
  assert.deepEqual(seen.of("a"), []);
});

test("today is asked for once a minute at most, and less often while it fails", async () => {
  let now = 0;
  const asked = [];
  const got = [];
  let fails = false;
  const poll = new TodayPoll(async () => { asked.push(now); if (fails) throw new Error("404"); return answer(); }, () => now, (one) => got.push(one?.day ?? null));
  const pass = async (ms) => { for (const end = now + ms; now < end; now += 1000) { poll.tick(); await null; await null; } };
  await pass(125_000);
  assert.deepEqual(asked, [0, 60_000, 120_000]);
  assert.equal(poll.isFailing, false);
  fails = true;
  await pass(1_900_000);
  assert.deepEqual(asked.slice(3), [180_000, 300_000, 540_000, 1_020_000, 1_620_000]);
  assert.equal(poll.isFailing, true);
  assert.equal(got.at(-1), null);
});

test("the hugs of a pillow that was not asked for are not known", () => {
  const made = today(answer({ asked: ["a"] }));
  assert.equal(made.of("a", T).hugs, 4);
  assert.equal(made.of("b", T), null);
  made.replace(answer({ asked: "all" }), T);
  assert.equal(made.of("b", T).hugs, 0);
});

test("for other pillows it is asked at once", async () => {
  const asked = [];
  const poll = new TodayPoll(async () => { asked.push(0); return answer(); }, () => 0, () => {});
  poll.tick();
  await null;
  await null;
  poll.tick();
  assert.equal(asked.length, 1);
  poll.renew();
  poll.tick();
  assert.equal(asked.length, 2);
});
