import assert from "node:assert/strict";
import { test } from "node:test";

import { freshness, pageFreshness, QUIET_AFTER_MS, silence } from "../../services/gateway/src/gateway/static/client/freshness.js";

test("a pillow is quiet after QUIET_AFTER_MS, and notconnected if the gateway says so", () => {
  const hug = { state: "hugging" };
  assert.equal(freshness(hug, 0), "live");
  assert.equal(freshness(hug, QUIET_AFTER_MS), "live");
  assert.equal(freshness(hug, QUIET_AFTER_MS + 1), "quiet");
  assert.equal(freshness(hug, NaN), "quiet");
  assert.equal(freshness({ state: "notconnected" }, 0), "notconnected");
});

test("the page is live only after a snapshot on the current connection, with a broker", () => {
  const facts = [];
  for (const synced of [false, true])
    for (const lost of [false, true])
      for (const broker of [null, "offline", "online"]) facts.push({ synced, lost, broker });
  for (const fact of facts) {
    const verdict = pageFreshness(fact);
    assert.equal(verdict === "live", fact.synced && fact.broker === "online");
    assert.equal(verdict === "broker-offline", fact.synced && fact.broker !== "online");
    assert.equal(verdict === "disconnected", !fact.synced && fact.lost);
    assert.equal(verdict === "connecting", !fact.synced && !fact.lost);
  }
});

test("a pillow whose clock is behind lives, but an old state of it is not shown as current", () => {
  const behind = { state: "hugging", clock: "behind" };
  assert.equal(freshness(behind, 0, 7_200_000), "quiet");
  assert.equal(freshness(behind, 0, 1_000), "live", "its time was replaced by the queue's");
  assert.equal(freshness({ state: "hugging" }, 0, 7_200_000), "live");
  assert.equal(freshness({ state: "hugging", clock: "ahead" }, 0, 7_200_000), "live");
});

test("of the silence on the local clock and on the gateway's, the longer one counts", () => {
  const sign = { asOf: 0, aliveAt: 1_000, receivedAt: 50 };
  assert.equal(silence(sign, { now: 20_050, gatewayNow: 2_000 }), 20_000, "the gateway's clock was set back");
  assert.equal(silence(sign, { now: 60, gatewayNow: 31_000 }), 30_000, "the local clock stood still");
  assert.equal(silence({ ...sign, receivedAt: null }, { now: 99_999, gatewayNow: 3_000 }), 2_000);
});
