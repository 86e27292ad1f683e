/** Rules for the modules of the page, the cloud and the client. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../../services/gateway/src/gateway/static/", import.meta.url);
const LAYERS = ["client", "cloud", "page"];
const MAX_LINES = 300;

const modules = LAYERS.flatMap((layer) =>
  readdirSync(new URL(`${layer}/`, STATIC))
    .filter((name) => /\.(js|css)$/.test(name))
    .map((name) => ({ layer, name: `${layer}/${name}`, source: readFileSync(new URL(`${layer}/${name}`, STATIC), "utf8") })),
);

test("modules import one way only: page, cloud, client", () => {
  for (const { layer, name, source } of modules) {
    for (const [, imported] of source.matchAll(/from "\.\.\/(\w+)\//g)) {
      assert.ok(LAYERS.indexOf(imported) < LAYERS.indexOf(layer), `${name} imports from ${imported}`);
    }
  }
});

test("the client imports nothing from outside its folder, because it is published on its own", () => {
  for (const { layer, name, source } of modules) {
    if (layer === "client") assert.doesNotMatch(source, /^(?:im|ex)port .* from "(?!\.\/)/m, name);
  }
});

test("no module is above 300 lines", () => {
  const long = modules.filter(({ source }) => source.split("\n").length > MAX_LINES).map(({ name }) => name);
  assert.deepEqual(long, []);
});

test("style sheets of the page name no left and no right, which are the other way round in Arabic", () => {
  for (const { layer, name, source } of modules) {
    if (layer !== "page" || !name.endsWith(".css")) continue;
    // The battery is mirrored as a whole.
    const rules = source.replace(/^.*\.battery-body.*$/gm, "");
    const sided = /(?:^|[\s;{-])(?:left|right): |text-align: (?:left|right)|(?:margin|padding): [^\s;]+ ([^\s;]+) [^\s;]+ (?!\1;)[^\s;]+;/m.exec(rules);
    assert.equal(sided, null, `${name}: ${sided?.[0]}`);
  }
});
