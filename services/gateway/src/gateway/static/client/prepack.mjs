/**
 * Puts the element into the package before `npm pack`, and takes it out afterwards: its modules are those of
 * ../cloud, and its colours and sentences those that the gateway makes of the contract.
 *
 *   node prepack.mjs             writes ./element
 *   node prepack.mjs --clean     removes it
 *   node prepack.mjs FOLDER      writes FOLDER, as of a copy of the package
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const HERE = new URL("./", import.meta.url);
const CLOUD = new URL("../cloud/", HERE);
const ENGLISH = new URL("../../texts/en.json", HERE);
const STATES = new URL("../../../../../../packages/contract/src/contract/states.json", HERE);
/** The groups of sentences that the element uses, as gateway.http.texts.ELEMENT_GROUPS. */
const GROUPS = new Set(["age", "element", "last", "pillow", "pose", "state", "was"]);
const ENTRY = "define.js";

const readJson = (url) => JSON.parse(readFileSync(url, "utf8"));
const asModule = (value) => `export default ${JSON.stringify(value)};\n`;

/** The modules that one imports from its own folder. */
const importsOf = (source) => [...source.matchAll(/ from "\.\/([\w.]+)";/g)].map(([, name]) => name);

/** Every module of the element by name, as it is in the package. */
function elementModules() {
  const states = Object.entries(readJson(STATES));
  const modules = new Map([
    ["state_colors.js", asModule(Object.fromEntries(states.map(([name, { color }]) => [name, color])))],
    ["english.js", asModule(sentences(states))],
  ]);
  const waiting = [ENTRY];
  while (waiting.length > 0) {
    const name = waiting.pop();
    if (modules.has(name)) continue;
    const source = readFileSync(new URL(name, CLOUD), "utf8");
    waiting.push(...importsOf(source));
    modules.set(name, packaged(source));
  }
  return modules;
}

function sentences(states) {
  const labels = states.map(([name, { label }]) => [`state.${name}`, label]);
  const all = Object.entries({ ...Object.fromEntries(labels), ...readJson(ENGLISH) });
  return Object.fromEntries(all.filter(([key]) => GROUPS.has(key.split(".")[0])));
}

/** A module with the paths that it has in the package, where the client is one folder above. */
function packaged(source) {
  return source
    .replaceAll('from "../client/', 'from "../')
    .replaceAll('import("../client/', 'import("../')
    .replace('from "../state_colors.js"', 'from "./state_colors.js"')
    .replace('from "../texts/en.js"', 'from "./english.js"');
}

const [argument] = process.argv.slice(2);
const isCleaning = argument === "--clean";
const target = argument === undefined || isCleaning ? new URL("./element/", HERE) : pathToFileURL(`${argument}/`);
rmSync(target, { recursive: true, force: true });
if (!isCleaning) {
  mkdirSync(target, { recursive: true });
  for (const [name, source] of elementModules()) writeFileSync(new URL(name, target), source);
}
