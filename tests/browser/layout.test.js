/** The sizes of the wall have one source: page/layout.js. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { CLOUD_STYLE } from "../../services/gateway/src/gateway/static/cloud/cloud_style.js";
import { CANVAS } from "../../services/gateway/src/gateway/static/cloud/poses.js";
import { fitTile, isCrowd, isDense, MAX_DETAILED, needsFilters, tileProperties, WALL_SIZES, wallSize } from "../../services/gateway/src/gateway/static/page/layout.js";
import { splitName } from "../../services/gateway/src/gateway/static/page/pillow_name.js";

const STATIC = new URL("../../services/gateway/src/gateway/static/", import.meta.url);
const read = (name) => readFileSync(new URL(name, STATIC), "utf8");
const namesIn = (folder, end) => readdirSync(new URL(folder, STATIC)).filter((name) => name.endsWith(end)).map((name) => folder + name);
const withoutComments = (source) => source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*/g, "");

const STYLES = ["style.css", ...namesIn("page/", ".css")].map((name) => [name, withoutComments(read(name))]);
const SCRIPTS = namesIn("page/", ".js").filter((name) => name !== "page/layout.js").map((name) => [name, withoutComments(read(name))]);
const TILES = WALL_SIZES.map(({ tile }) => tile).filter((tile) => tile !== null);

test("up to 3 clouds are few, 24 some, 200 many, and more dense", () => {
  const names = [0, 3, 4, 24, 25, 200, 201, 1e9].map((count) => wallSize(count).name);
  assert.deepEqual(names, ["few", "few", "some", "some", "many", "many", "dense", "dense"]);
});

test("a slow device has a crowd of fewer clouds, but never of few", () => {
  const names = [3, 6, 7, 200, 201].map((count) => wallSize(count, 6).name);
  assert.deepEqual(names, ["few", "some", "many", "many", "dense"]);
  assert.deepEqual([3, 4].map((count) => wallSize(count, 3).name), ["few", "many"]);
});

test("filters, crowd and dense crowd begin where a size ends", () => {
  assert.deepEqual([3, 4].map(needsFilters), [false, true]);
  assert.deepEqual([24, 25].map((count) => isCrowd(wallSize(count))), [false, true]);
  for (const size of WALL_SIZES) assert.equal(isDense(size), size.name === "dense");
  for (const { tile, maxClouds } of WALL_SIZES) assert.equal(tile !== null, maxClouds > MAX_DETAILED, "a crowd has tiles");
});

test("style sheets use exactly the custom properties that layout.js defines", () => {
  for (const tile of TILES) {
    for (const [, value] of tileProperties(tile)) assert.match(value, /^\d+px$/);
  }
  const defined = tileProperties(null).map(([name]) => name);
  const used = STYLES.flatMap(([, source]) => source.match(/--tile-[\w-]+/g) ?? []);
  assert.deepEqual([...new Set(used)].sort(), defined.sort());
});

test("a tile grows with the text, and is as wide as its longest text while two still lie side by side", () => {
  const tile = { minWidth: 158, gap: 12, picture: 122 };
  assert.deepEqual(fitTile(tile, { rem: 16, width: 140, space: 1_200 }), tile);
  assert.deepEqual(fitTile(tile, { rem: 32, width: 300, space: 1_200 }), { minWidth: 316, gap: 12, picture: 153 });
  assert.equal(fitTile(tile, { rem: 16, width: 176.2, space: 1_200 }).minWidth, 177);
  assert.equal(fitTile(tile, { rem: 16, width: 177, space: 336 }).minWidth, 162, "it wraps");
  assert.equal(fitTile(tile, { rem: 16, width: 177, space: 300 }).minWidth, 158);
});

test("a long name is split so that its end stays", () => {
  assert.deepEqual(splitName("cloud-1"), ["cloud-1", ""]);
  assert.deepEqual(splitName("x".repeat(12)), ["x".repeat(12), ""]);
  assert.deepEqual(splitName(`${"x".repeat(60)}-12`), ["x".repeat(55), "xxxxx-12"]);
  const accented = `${"a".repeat(20)}e\u0301\u0323${"b".repeat(7)}`;
  assert.deepEqual(splitName(accented), ["a".repeat(20), accented.slice(20)], "an accent stays at its letter");
  assert.deepEqual(splitName("☁️".repeat(20)).join(""), "☁️".repeat(20));
});

test("no style sheet repeats a number of a tile", () => {
  const numbers = TILES.flatMap(({ minWidth, picture }) => [minWidth, picture]);
  for (const [name, source] of STYLES) {
    for (const number of numbers) assert.doesNotMatch(source, new RegExp(`\\b${number}px`), `${name}: ${number}px`);
  }
});

test("style sheets know no other size than those of layout.js", () => {
  const names = new Set(WALL_SIZES.map(({ name }) => name));
  const used = STYLES.flatMap(([, source]) => [...source.matchAll(/\[data-size="(\w+)"\]/g)].map(([, name]) => name));
  assert.ok(used.length > 0);
  assert.deepEqual(used.filter((name) => !names.has(name)), []);
});

test("no other module of the page has a threshold of clouds", () => {
  for (const [name, source] of SCRIPTS) assert.doesNotMatch(source, /(?:<=?|>=?|===) (?:3|4|24|25|200|201)\b/, name);
});

test("the documentation names the threshold of a crowd", () => {
  const document = readFileSync(new URL("../../docs/page.md", import.meta.url), "utf8");
  assert.ok(document.includes(`up to ${WALL_SIZES[1].maxClouds} `));
});

test("every aspect ratio of a picture is that of the canvas", () => {
  const ratios = STYLES.flatMap(([, source]) => [...source.matchAll(/aspect-ratio: ([^;}]+)/g)].map(([, ratio]) => ratio.trim()));
  assert.ok(ratios.length > 0);
  for (const ratio of ratios) assert.equal(ratio, `${CANVAS.width} / ${CANVAS.height}`);
});

test("a sleeping cloud lies still after a minute", () => {
  const sleeping = [...CLOUD_STYLE.matchAll(/animation: (?:doze|snore) ([\d.]+)s ease-in-out (\w+);/g)];
  assert.equal(sleeping.length, 3, "its figure, its snore, and it as one of a crowd");
  for (const [rule, seconds, count] of sleeping) assert.ok(Number(seconds) * Number(count) <= 61, rule);
});
