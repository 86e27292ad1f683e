/** What is written into nodes, beside a browser that translates them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { setText } from "../../services/gateway/src/gateway/static/cloud/dom.js";

test("a text is written if it differs from what was written before", () => {
  const node = { textContent: "Connecting" };
  setText(node, "Live");
  assert.equal(node.textContent, "Live");
});

test("a text that a browser has translated stays while the original is the same", () => {
  const node = { textContent: "" };
  setText(node, "Live");
  node.textContent = "Na żywo";
  setText(node, "Live");
  assert.equal(node.textContent, "Na żywo");
  setText(node, "Disconnected");
  assert.equal(node.textContent, "Disconnected");
});

test("a text of the page's source is not written again", () => {
  const writes = [];
  const node = { get textContent() { return "Connecting"; }, set textContent(text) { writes.push(text); } };
  setText(node, "Connecting");
  assert.deepEqual(writes, []);
});
