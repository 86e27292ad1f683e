import assert from "node:assert/strict";
import { test } from "node:test";

import { StatusBar, statusText } from "../../services/gateway/src/gateway/static/page/status.js";
import { english } from "./english.js";
import { FakeDocument } from "./fakes.js";

const open = { phase: "open", retryInMs: null, reason: "" };
const textOf = (connection, status = open, count = 3, isRetained = true) =>
  statusText({ connection, lastingMs: 12_500, status, count, isRetained }, english);

test("a live page shows the number of clouds", () => {
  assert.deepEqual(textOf("live"), { title: "Live", detail: "3 clouds", watching: "", note: "", canRetry: false });
});

test("a live page shows how many look, where that is known", () => {
  const told = (watching) => statusText({ connection: "live", lastingMs: 0, status: open, count: 3, isRetained: true, watching }, english);
  assert.equal(told(312).watching, "312 watching");
  assert.equal(told(1).watching, "1 watching");
  assert.equal(told(null).watching, "");
  assert.equal(told(undefined).watching, "");
  const lost = { connection: "broker-offline", lastingMs: 0, status: open, count: 3, isRetained: true, watching: 3 };
  assert.equal(statusText(lost, english).watching, undefined);
});

test("where the broker retains no states, the page waits for those of the other pillows", () => {
  assert.equal(textOf("live", open, 0, false).detail, "Waiting for news.");
  assert.equal(textOf("live", open, 1, false).detail, "1 cloud so far");
});

test("without a broker the page shows for how long, and that the clouds are old", () => {
  const { title, detail, note } = textOf("broker-offline");
  assert.equal(title, "Not live");
  assert.equal(detail, "for 12 sec. No news of any cloud.");
  assert.match(note, /last were/);
});

test("a disconnected page shows for how long, and the time to the next attempt", () => {
  const { title, detail, note, canRetry } = textOf("disconnected", { phase: "waiting", retryInMs: 2_600, reason: "" });
  assert.equal(title, "Disconnected");
  assert.equal(detail, "for 12 sec. Trying again in 3 sec.");
  assert.match(note, /last were/);
  assert.ok(canRetry);
});

test("without a network the page says that it is offline", () => {
  const status = { phase: "suspended", retryInMs: null, reason: "the browser is offline" };
  const facts = { connection: "disconnected", lastingMs: 12_500, status, count: 0, isRetained: true, isOffline: true };
  const { title, detail, canRetry } = statusText(facts, english);
  assert.deepEqual([title, detail, canRetry], ["You are offline", "for 12 sec. Trying again as soon as there is a network.", true]);
});

test("the time to the next attempt is at least 1 s", () => {
  assert.match(textOf("disconnected", { phase: "waiting", retryInMs: 0, reason: "" }).detail, /in 1 sec/);
});

test("without a known cloud there is no note about old clouds", () => {
  const { detail, note, canRetry } = textOf("disconnected", { phase: "connecting", retryInMs: null, reason: "" }, 0);
  assert.equal(note, "");
  assert.equal(detail, "for 12 sec. Trying again now…");
  assert.equal(canRetry, false);
});

test("a refused page shows the reason and offers a retry", () => {
  const status = { phase: "stopped", retryInMs: null, reason: "the token has expired" };
  const { detail, canRetry } = textOf("disconnected", status);
  assert.match(detail, /Not trying again: the token has expired\.$/);
  assert.ok(canRetry);
});

test("a page without a connection yet shows Connecting", () => {
  assert.equal(textOf("connecting").title, "Connecting");
});

test("the lamp beats once for a frame, not again while it beats, and not where nothing may move", (context) => {
  const document = new FakeDocument();
  const light = document.querySelector(".status-light");
  const beats = [];
  light.classList = { contains: () => false };
  light.animate = (keyframes, options) => beats.push(options) && (beats.at(-1).animation = { playState: "running" });
  const before = globalThis.document;
  globalThis.document = document;
  context.after(() => { globalThis.document = before; });
  const bar = new StatusBar(document, english, () => {});
  bar.beat(null);
  assert.equal(beats.length, 0, "before the first frame");
  bar.beat(1);
  bar.beat(2);
  assert.equal(beats.length, 1);
  assert.ok(!("iterations" in beats[0]), "it ends by itself");
  beats[0].animation.playState = "finished";
  bar.beat(2);
  assert.equal(beats.length, 1, "the frame that came while it beat is an old one");
  bar.beat(3);
  assert.equal(beats.length, 2);
  beats[1].animation.playState = "finished";
  document.hidden = true;
  bar.beat(4);
  assert.equal(beats.length, 2);
});
