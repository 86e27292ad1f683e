import assert from "node:assert/strict";
import { test } from "node:test";

import { statusWords } from "../../services/gateway/src/gateway/static/page/status.js";

const open = { phase: "open", retryAt: null, reason: "" };
const told = (connection, status = open, count = 3) => statusWords({ connection, since: 1_000, status, count }, 13_500);

test("a live page says so and counts its clouds", () => {
  assert.deepEqual(told("live"), { title: "Live", detail: "3 clouds", note: "", canRetry: false });
});

test("without its broker the page says for how long, and that this is the past", () => {
  const { title, detail, note } = told("broker-offline");
  assert.equal(title, "Broker offline");
  assert.equal(detail, "for 12 s. No news of any cloud.");
  assert.match(note, /last were/);
});

test("a disconnected page says for how long, and when it tries again", () => {
  const { title, detail, note, canRetry } = told("disconnected", { phase: "waiting", retryAt: 16_100, reason: "" });
  assert.equal(title, "Disconnected");
  assert.equal(detail, "for 12 s. Trying again in 3 s.");
  assert.match(note, /last were/);
  assert.ok(canRetry);
});

test("a wait that has run out never counts below one second", () => {
  assert.match(told("disconnected", { phase: "waiting", retryAt: 13_000, reason: "" }).detail, /in 1 s/);
});

test("with no cloud known, nothing is called the last known", () => {
  const { detail, note, canRetry } = told("disconnected", { phase: "connecting", retryAt: null, reason: "" }, 0);
  assert.equal(note, "");
  assert.equal(detail, "for 12 s. Trying again now…");
  assert.equal(canRetry, false);
});

test("a page that was turned away says why and offers to try again", () => {
  const status = { phase: "stopped", retryAt: null, reason: "the token has expired" };
  const { detail, canRetry } = told("disconnected", status);
  assert.match(detail, /Not trying again: the token has expired\.$/);
  assert.ok(canRetry);
});

test("at the start the page claims nothing", () => {
  assert.equal(told("connecting").title, "Connecting");
});
