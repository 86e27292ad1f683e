/** The page's state: roster, subscription, and what is shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { hasLatency, PageState } from "../../services/gateway/src/gateway/static/page/page_state.js";
import { parseHash } from "../../services/gateway/src/gateway/static/page/route.js";

const stateOf = (named = [], hash = "") => new PageState(named, parseHash(hash));
const update = (id, state = "hugging", previous = undefined) => ({ id, pillow: state === null ? null : { pillow: id, state }, previous });

test("the first subscription is all pillows, those of the query string, or the one of the fragment", () => {
  assert.equal(stateOf().subscription, "all");
  assert.deepEqual(stateOf(["a", "b"]).subscription, ["a", "b"]);
  assert.deepEqual(stateOf(["a", "b"], "#c").subscription, ["c"]);
});

test("a query string with more ids than a subscription may name shows these of all pillows", () => {
  const named = Array.from({ length: 1_001 }, (_, n) => `p${n}`);
  const state = stateOf(named);
  assert.equal(state.subscription, "all");
  state.apply(update("other"));
  state.apply(update("p7", "spinning"));
  assert.deepEqual([state.roster.has("other"), state.roster.ids.length, [...state.changed]], [false, 1_001, ["p7"]]);
  assert.deepEqual(stateOf(named.slice(1)).subscription, named.slice(1));
});

test("navigate() returns a new subscription only if it changes", () => {
  const state = stateOf([], "#a");
  assert.equal(state.navigate(parseHash("#a")), null);
  assert.deepEqual(state.navigate(parseHash("#b")), ["b"]);
  assert.equal(state.navigate(parseHash("")), "all");
  assert.equal(state.navigate(parseHash("#c")), null, "once all are subscribed, they stay so");
  assert.equal(state.subscription, "all");
});

test("pillows of the query string stay on the roster after a removal, others do not", () => {
  const state = stateOf(["a"]);
  state.apply(update("b"));
  state.apply(update("a", null));
  state.apply(update("b", null));
  assert.deepEqual(state.roster.ids, ["a"]);
});

test("an update marks its card as changed, and the order as stale if it may differ", () => {
  const state = stateOf();
  state.isOrderStale = false;
  state.apply(update("a", "hugging", { state: "hugging" }));
  assert.deepEqual([[...state.changed], state.isOrderStale], [["a"], false]);
  state.apply(update("a", "spinning", { state: "hugging" }));
  assert.equal(state.isOrderStale, true);
  const sorted = stateOf([], "#order=newest");
  sorted.isOrderStale = false;
  sorted.apply(update("a", "hugging", { state: "hugging" }));
  assert.equal(sorted.isOrderStale, true, "a repeated state changes the order by age");
});

test("the detail view shows the pillow of the fragment, or the only one", () => {
  const state = stateOf();
  assert.equal(state.viewed, null);
  state.apply(update("a"));
  assert.equal(state.viewed, "a");
  assert.equal(state.hasBackLink, false);
  state.apply(update("b"));
  assert.equal(state.viewed, null);
  state.navigate(parseHash("#b"));
  assert.deepEqual([state.viewed, state.hasBackLink], ["b", true]);
});

test("who goes from a pillow to the wall sees the wall, also while no other pillow is known", () => {
  const state = stateOf([], "#a");
  state.apply(update("a"));
  state.navigate(parseHash(""));
  assert.equal(state.viewed, null);
});

test("the detail view links to the wall unless the page is for its pillow only", () => {
  assert.equal(stateOf([], "#a").hasBackLink, true);
  assert.equal(stateOf(["a"], "#a").hasBackLink, false);
  assert.equal(stateOf(["a", "b"], "#a").hasBackLink, true);
  assert.equal(stateOf(["a"]).hasBackLink, false);
});

test("latency is measured of new states only", () => {
  const away = { pillow: "a", state: "notconnected", last: "hugging", at: "x" };
  assert.equal(hasLatency(update("a"), false), true);
  assert.equal(hasLatency(update("a"), true), false, "a snapshot holds states of before");
  assert.equal(hasLatency(update("a", null), false), false);
  assert.equal(hasLatency(update("a", "notconnected"), false), false);
  assert.equal(hasLatency({ id: "a", pillow: { pillow: "a", state: "hugging", at: "x" }, previous: away }, false), false, "a reconnected pillow");
});
