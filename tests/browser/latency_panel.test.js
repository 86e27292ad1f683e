import assert from "node:assert/strict";
import { test } from "node:test";

import { clockText } from "../../services/gateway/src/gateway/static/page/latency_panel.js";
import { english } from "./english.js";

test("without an offset there is no text about the clocks", () => {
  assert.equal(clockText(null, null, english), "");
});

test("an offset without a ping is not reported as a measurement", () => {
  assert.match(clockText(1_000, null, english), /could not be compared/);
});

test("clocks agree if their difference is within half a round trip, and at least 1 ms", () => {
  assert.match(clockText(20, 40, english), /agree within 20 ms/);
  assert.match(clockText(1, 0, english), /agree within 1 ms/);
});

test("a larger difference is given with its direction and error", () => {
  assert.match(clockText(250, 40, english), /is 250 ms behind the gateway's \(± 20 ms/);
  assert.match(clockText(-2_500, 40, english), /is 2\.5 sec ahead of the gateway's/);
});
