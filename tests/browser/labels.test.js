/** What people call their pillows: where it comes from, how it is cleaned, sorted and found. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { cleanLabel, fetchLabels, Labels } from "../../services/gateway/src/gateway/static/cloud/labels.js";
import { PageState } from "../../services/gateway/src/gateway/static/page/page_state.js";
import { parseHash } from "../../services/gateway/src/gateway/static/page/route.js";

test("a label is a short text of one line that changes no order of the text around it", () => {
  assert.equal(cleanLabel("  Grandma's \n cloud\u0000 "), "Grandma's cloud");
  assert.equal(cleanLabel("a\u202eb\u2066c\u200f"), "a b c");
  assert.equal(cleanLabel("\u{1f469}\u200d\u{1f467}"), "\u{1f469}\u200d\u{1f467}", "a family is one sign");
  assert.equal([...cleanLabel("\u{1f31e}".repeat(1_000))].length, 80);
  for (const odd of [undefined, null, 7, {}, "", " \u202e "]) assert.equal(cleanLabel(odd), "");
});

test("a label in a message goes before the gateway's file, and an empty one is none", () => {
  const labels = new Labels();
  assert.deepEqual(labels.file({ a: "Filed", b: "Other" }), ["a", "b"]);
  assert.equal(labels.tell("a", "Told"), true);
  assert.equal(labels.tell("a", "Told"), false);
  assert.deepEqual([labels.of("a"), labels.nameOf("b"), labels.of("c"), labels.nameOf("c")], ["Told", "Other", "", "c"]);
  assert.equal(labels.tell("a", undefined), true);
  assert.equal(labels.of("a"), "Filed");
  assert.deepEqual(labels.file({ b: "Other" }), ["a", "b"]);
  assert.equal(labels.nameOf("a"), "a");
});

const update = (id, more = {}) => ({ id, pillow: { pillow: id, state: "neutral", ...more }, previous: undefined });
const selected = (state, name = "") => state.roster.select({ states: [], name, order: "name" }, () => "neutral", () => 0);

test("pillows are sorted and found by their labels as well as by their ids", () => {
  const state = new PageState([], parseHash(""));
  for (const id of ["cloud-1", "cloud-2", "cloud-10"]) state.apply(update(id));
  state.apply(update("cloud-2", { label: "Zoé's cloud 2" }));
  state.apply(update("cloud-3", { label: "Étienne 10" }));
  assert.deepEqual(selected(state), ["cloud-1", "cloud-10", "cloud-3", "cloud-2"]);
  assert.deepEqual(selected(state, "etienne"), ["cloud-3"]);
  assert.deepEqual(selected(state, "ZOÉ"), ["cloud-2"]);
  assert.deepEqual(selected(state, "cloud-2"), ["cloud-2"]);
  state.rename(state.labels.file({ "cloud-10": "Étienne 9" }));
  assert.deepEqual(selected(state), ["cloud-1", "cloud-10", "cloud-3", "cloud-2"]);
  assert.ok(state.changed.has("cloud-10") && state.isOrderStale);
});

test("a pillow keeps its label while it is silent, and loses it when it is removed", () => {
  const state = new PageState([], parseHash(""));
  state.apply(update("a", { label: "Sofa" }));
  state.apply(update("a", { state: "notconnected", last: "neutral" }));
  assert.equal(state.labels.nameOf("a"), "Sofa");
  state.apply({ id: "a", pillow: null, previous: undefined });
  assert.equal(state.labels.nameOf("a"), "a");
  assert.deepEqual(selected(state), []);
});

test("the gateway's file is fetched with the token, and what fails changes nothing", async () => {
  const folder = new URL("https://clouds.example/pillows/");
  const asked = [];
  const answer = (response) => async (url, { headers }) => (asked.push([url.href, headers]), response);
  const found = { ok: true, json: async () => ({ labels: { a: "Sofa" } }) };
  assert.deepEqual(await fetchLabels(folder, "t", answer(found)), { a: "Sofa" });
  assert.deepEqual(await fetchLabels(folder, "", answer(found)), { a: "Sofa" });
  assert.deepEqual(asked, [
    ["https://clouds.example/pillows/api/labels", { Authorization: "Bearer t" }],
    ["https://clouds.example/pillows/api/labels", undefined],
  ]);
  assert.equal(await fetchLabels(folder, "", answer({ ok: false })), null);
  assert.equal(await fetchLabels(folder, "", () => Promise.reject(new Error("no network"))), null);
});
