/** What is asked of the gateway about the past, and how often. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Calendar } from "../../services/gateway/src/gateway/static/page/calendar.js";
import { PastApi } from "../../services/gateway/src/gateway/static/page/past_api.js";
import { LIFETIME_MS, PastLoader } from "../../services/gateway/src/gateway/static/page/past_loader.js";
import { PastView } from "../../services/gateway/src/gateway/static/page/past_view.js";
import { PillowPast } from "../../services/gateway/src/gateway/static/page/pillow_past.js";

const FOLDER = new URL("https://pillows.example/clouds/");
const STATES = [{ pillow: "cloud-1", state: "hugging" }];
const FROM = Date.parse("2026-11-29T09:00:00Z");
const settle = () => new Promise(setImmediate);

/** An API with these responses, and what it was asked. */
function api(responses, token = "") {
  const stop = new AbortController();
  const asked = [];
  const waits = [];
  const made = new PastApi(FOLDER, token, {
    request: async (url, options) => {
      asked.push({ url, ...options });
      return responses.shift()({ stop });
    },
    sleep: async (ms) => { waits.push(ms); },
    random: () => 0.5,
  });
  return { made, stop, asked, waits };
}

/** The history that an API gives with these responses. */
async function history(...responses) {
  const { made, stop, asked, waits } = api(responses);
  const states = await made.history("cloud-1", { from: FROM }, stop.signal);
  return { states, waits, left: responses.length, addresses: asked.map(({ url }) => url.href.slice(FOLDER.href.length)) };
}

const found = () => Response.json({ states: STATES });

test("a successful response is the result", async () => {
  assert.deepEqual(await history(found), { states: STATES, waits: [], left: 0, addresses: ["api/pillows/cloud-1/history?from=2026-11-29T09%3A00%3A00.000Z"] });
});

test("pages are put together, each from where the one before says", async () => {
  const page = (number, next) => () => Response.json({ states: [number], next });
  const { states, addresses } = await history(page(1, "?page=1"), page(2, "?page=2"), page(3));
  assert.deepEqual(states, [1, 2, 3]);
  assert.deepEqual(addresses.slice(1), ["api/pillows/cloud-1/history?page=1", "api/pillows/cloud-1/history?page=2"]);
});

test("a history without an end is not read for ever", async () => {
  const { states, left } = await history(...Array.from({ length: 25 }, (_, n) => () => Response.json({ states: [n], next: "?page=1" })));
  assert.deepEqual([states.length, left], [20, 5]);
});

test("a failed request is repeated with a growing delay, or when the gateway says", async () => {
  const failures = [
    () => { throw new TypeError("Failed to fetch"); },
    () => new Response("busy", { status: 503 }),
    () => new Response("<html>"),
    () => new Response("", { status: 429, headers: { "Retry-After": "30" } }),
  ];
  const { states, waits } = await history(...failures, found);
  assert.deepEqual([states, waits], [STATES, [750, 1000, 1500, 30_000]]);
});

test("what is not found, or not permitted, is not asked for again", async () => {
  for (const status of [404, 401, 403, 400]) assert.deepEqual((await history(() => new Response("", { status }))).states, []);
});

test("an abort ends requests and delays", async () => {
  const ended = await history(({ stop }) => { stop.abort(); throw stop.signal.reason; }, found);
  assert.deepEqual([ended.states, ended.left], [[], 1]);
  const stop = new AbortController();
  const result = new PastApi(FOLDER, "", { request: async () => new Response("", { status: 500 }) }).history("a", { from: FROM }, stop.signal);
  setImmediate(() => stop.abort());
  assert.deepEqual(await result, []);
});

test("activity and today are asked for by their parameters, with the token of the visit", async () => {
  const { made, stop, asked } = api([() => Response.json({ steps: [] }), () => Response.json({ day: "2026-11-29" }), () => Response.json({})], "abc");
  await made.activity("cloud-1", { from: FROM, to: FROM + 3_600_000 }, 300_000, stop.signal, () => {});
  await made.today("Europe/Berlin", ["a", "b"]);
  await made.today("UTC", "all");
  assert.deepEqual(asked.map(({ url }) => url.href.slice(FOLDER.href.length)), [
    "api/pillows/cloud-1/activity?from=2026-11-29T09%3A00%3A00.000Z&to=2026-11-29T10%3A00%3A00.000Z&step=300",
    "api/today?tz=Europe%2FBerlin&pillow=a&pillow=b",
    "api/today?tz=UTC",
  ]);
  assert.ok(asked.every(({ headers }) => headers.Authorization === "Bearer abc"));
});

test("today without an answer is rejected, and not repeated by itself", async () => {
  for (const failure of [() => new Response("", { status: 404 }), () => new Response("<html>"), () => { throw new TypeError("no network"); }]) {
    const { made, asked } = api([failure]);
    await assert.rejects(made.today("UTC", "all"));
    assert.equal(asked.length, 1);
  }
});

/** A loader of a fake API, which answers when the test says. */
function loader() {
  const state = { now: 0, mayAsk: true, changes: 0, asked: [] };
  const answer = (name) => (...all) => {
    const signal = all.find((one) => one instanceof AbortSignal);
    return new Promise((resolve) => state.asked.push({ name, id: all[0], resolve, signal, fail: all.at(-1) }));
  };
  const made = new PastLoader({ activity: answer("activity"), history: answer("history") }, { now: () => state.now, mayAsk: () => state.mayAsk, onChange: () => (state.changes += 1) });
  const day = () => made.activity("a", "24h", { from: 0, to: 1 }, 300_000);
  return { made, state, day };
}

const ANSWER = { from: "", to: "2026-11-29T10:00:00Z", step_s: 300, source: "memory", steps: [] };

test("an answer is kept for some minutes, also when another pillow was looked at", async () => {
  const { made, state, day } = loader();
  assert.equal(day().value, undefined);
  day();
  assert.equal(state.asked.length, 1, "while it is loading it is not asked for again");
  state.asked[0].resolve(ANSWER);
  await settle();
  assert.deepEqual([day().value, day().isMemory, state.changes], [[], true, 1]);
  made.stop();
  state.now = LIFETIME_MS - 1;
  day();
  assert.equal(state.asked.length, 1);
  state.now = LIFETIME_MS;
  assert.deepEqual(day().value, [], "what is known is shown meanwhile");
  assert.equal(state.asked.length, 2);
});

test("what is being asked ends with the view, and is asked for anew with the next", async () => {
  const { made, state, day } = loader();
  day();
  made.stop();
  assert.equal(state.asked[0].signal.aborted, true);
  state.asked[0].resolve(ANSWER);
  await settle();
  assert.equal(day().value, undefined);
  assert.equal(state.asked.length, 2);
});

test("a failure is known until there is an answer", async () => {
  const { state, day } = loader();
  day();
  state.asked[0].fail();
  assert.deepEqual([day().isFailing, state.changes], [true, 1]);
  state.asked[0].resolve(ANSWER);
  await settle();
  assert.equal(day().isFailing, false);
});

test("a gateway that has no answer leaves what was known, and is asked again after some minutes", async () => {
  const { state, day } = loader();
  day();
  state.asked[0].resolve(null);
  await settle();
  day();
  assert.deepEqual([day().value, state.asked.length], [[], 1]);
  state.now = LIFETIME_MS;
  day();
  assert.equal(state.asked.length, 2);
});

test("nothing is asked while nobody looks, and what may have been missed is asked for again", async () => {
  const { made, state, day } = loader();
  state.mayAsk = false;
  day();
  assert.equal(state.asked.length, 0);
  state.mayAsk = true;
  day();
  state.asked[0].resolve(ANSWER);
  await settle();
  made.expire("b");
  day();
  assert.equal(state.asked.length, 1);
  made.expire("a");
  day();
  assert.equal(state.asked.length, 2);
});

test("what is asked for again can be the states alone", async () => {
  const { made, state, day } = loader();
  day();
  made.states("a", "live", { from: 0 });
  state.asked.forEach(({ name, resolve }) => resolve(name === "activity" ? ANSWER : STATES));
  await settle();
  made.expire("a", "states");
  day();
  made.states("a", "live", { from: 0 });
  assert.deepEqual(state.asked.map(({ name }) => name), ["activity", "history", "history"]);
});

/** The past of a pillow, of which a fake gateway knows these states and steps. */
function pillowPast({ states = [], steps = [], to = FROM } = {}) {
  const asked = [];
  const api = {
    history: async (id, range) => { asked.push(["states", range.from - FROM]); return states; },
    activity: async (id, range, stepMs) => {
      asked.push(["activity", range.to - FROM]);
      return { from: "", to: new Date(to).toISOString(), step_s: stepMs / 1000, source: "recorder", steps };
    },
  };
  const client = { now: () => FROM, connection: "live", clockOffsetMs: 0, since: 0, pillows: new Map([["a", {}]]), freshness: () => "live", age: () => 0 };
  const calendar = new Calendar("UTC");
  const pastLoader = new PastLoader(api, { now: () => FROM, mayAsk: () => true, onChange: () => {} });
  return { asked, open: (id = "a") => new PillowPast(id, [], { client, calendar, loader: pastLoader }) };
}

test("states that came while another view was open are asked for when the pillow is looked at again", async () => {
  const { asked, open } = pillowPast();
  const view = new PastView(new Calendar("UTC"));
  open().timeline(view);
  await settle();
  open("b");
  open().timeline(view);
  assert.equal(asked.length, 2);
});

test("the newest seconds of an activity are those of the states that the page knows", async () => {
  const { asked, open } = pillowPast({ steps: [{ at: new Date(FROM - 3_600_000).toISOString(), seconds: { neutral: 10 }, episodes: {}, asleep_s: 3580, unheard_s: 8 }], to: FROM - 2_000 });
  const past = open();
  past.add({ pillow: "a", state: "neutral", at: new Date(FROM - 10_000).toISOString() });
  past.add({ pillow: "a", state: "hugging", at: new Date(FROM - 1_500).toISOString() });
  past.stepsOf("7d");
  await settle();
  assert.deepEqual(asked, [["activity", -2_000]]);
  assert.equal(past.stepsOf("7d").at(-1).episodes.hugging, 1);
  assert.equal(past.stepsOf("7d").at(-1).ms.get("hugging"), 1_500);
});

test("a pillow that only the past knows was last heard at the end of its last report, and nothing is known since", async () => {
  const step = (hours, seconds) => ({ at: new Date(FROM - hours * 3_600_000).toISOString(), seconds, episodes: {}, asleep_s: 0, unheard_s: 0 });
  const at = new Date(FROM - 2.5 * 3_600_000).toISOString();
  const { asked, open } = pillowPast({ states: [{ pillow: "gone", state: "hugging", at }], steps: [step(4, { neutral: 5 }), step(3, { hugging: 9 }), step(2, {}), step(1, {})] });
  const past = open("gone");
  assert.ok(past.isGone);
  assert.ok(Number.isNaN(past.lastHeard));
  await settle();
  assert.equal(past.lastHeard, FROM - 2 * 3_600_000, "until its states have come, the end of the hour");
  await settle();
  assert.equal(past.lastHeard, Date.parse(at));
  assert.equal(past.knownUntil, Date.parse(at));
  assert.deepEqual(asked, [["activity", -2_000], ["states", -3 * 3_600_000]]);
});

test("a pillow that nobody knows has no past", async () => {
  const { open } = pillowPast();
  const past = open("nobody");
  past.lastHeard;
  await settle();
  assert.ok(Number.isNaN(past.lastHeard));
});
