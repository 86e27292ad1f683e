/** The golden examples of the contract: Python and JavaScript accept the same frames. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { FrameError, parseFrame } from "../../services/gateway/src/gateway/static/client/frames.js";

const EXAMPLES = new URL("../../packages/contract/examples/", import.meta.url);

const files = [
  new URL("frames.json", EXAMPLES),
  ...list(new URL("frames/", EXAMPLES)),
].filter((file) => existsSync(file));

function list(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => new URL(name, folder));
}

function casesOf(file) {
  const content = JSON.parse(readFileSync(file, "utf8"));
  return content.cases ?? [content];
}

const cases = files.flatMap(casesOf);

test("there are valid and invalid examples", { skip: files.length === 0 && !process.env.CI && "not written yet" }, () => {
  const verdicts = new Set(cases.map(isValid));
  assert.deepEqual([...verdicts].sort(), [false, true]);
});

for (const example of cases) {
  const text = example.text ?? JSON.stringify(example.frame);
  test(`${isValid(example) ? "accepted" : "refused"}: ${example.name}`, () => {
    if (isValid(example)) assert.equal(typeof parseFrame(text).type, "string");
    else assert.throws(() => parseFrame(text), FrameError, example.why);
  });
}

function isValid(example) {
  return example.valid ?? example.ok;
}
