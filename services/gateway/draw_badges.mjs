/**
 * Draws the badges: each pose of static/cloud as plain SVG, into src/gateway/http/badges.json.
 *
 *   node services/gateway/draw_badges.mjs           write the file
 *   node services/gateway/draw_badges.mjs --check   fail where the file is not what the poses make
 *
 * Mail programs and wikis may remove style sheets and know no CSS variables. A badge therefore has
 * presentation attributes with plain colours: no class, no style, no script, no reference but to its
 * own gradient.
 */

import { readFileSync, writeFileSync } from "node:fs";

import { IMAGE_STYLE } from "./src/gateway/static/cloud/cloud_style.js";
import { STATES, svgSource } from "./src/gateway/static/cloud/poses.js";

const OUTPUT = new URL("./src/gateway/http/badges.json", import.meta.url);
const COLORS = JSON.parse(readFileSync(new URL("../../packages/contract/src/contract/states.json", import.meta.url), "utf8"));

const TEXTS = JSON.parse(readFileSync(new URL("./src/gateway/texts/en.json", import.meta.url), "utf8"));

/** Colours that are readable on a light and on a dark ground, because a picture does not know its own. */
const ON_ANY_GROUND = { "--snore": "#7f8db3" };
/** What a still picture has instead of the animation. */
const STILL = '.drawing[data-pose="spinning"] .figure { transform: rotate(14deg); transform-origin: 120px 106px; }';

/** @typedef {{pose: string | null, classes: string[], declarations: [string, string][]}} Rule */

/** Parse a style sheet of classes, in the order in which its rules win. @param {string} text @returns {Rule[]} */
function parseRules(text) {
  const withoutMedia = text.replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, "");
  const rules = [];
  for (const [, selectors, body] of withoutMedia.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    const declarations = body.split(";").map((one) => one.split(":").map((part) => part.trim())).filter(([, value]) => value);
    for (const selector of selectors.split(",").map((one) => one.trim())) {
      const found = /^(?:\.drawing(?:\[data-pose="(\w+)"\])? ?)?((?:\.[\w-]+)*)(\*?)$/.exec(selector);
      if (found === null) throw new Error(`a badge cannot have the rule ${selector}`);
      if (found[3] === "") rules.push({ pose: found[1] ?? null, classes: found[2].split(".").filter(Boolean), declarations });
    }
  }
  const weight = (rule) => rule.classes.length + (rule.pose === null ? 0 : 2);
  return rules.sort((one, other) => weight(one) - weight(other));
}

/** Return the declarations that hold for an element; the root has no classes. */
function declarationsOf(rules, state, classes) {
  const isRoot = classes.length === 0;
  const holding = rules.filter(
    (rule) =>
      (rule.pose === null || rule.pose === state) &&
      (isRoot ? rule.classes.length === 0 : rule.classes.length > 0 && rule.classes.every((one) => classes.includes(one))),
  );
  return Object.fromEntries(holding.flatMap((rule) => rule.declarations));
}

/** Replace variables and mixed colours. @param {string} value @param {Record<string, string>} variables */
function resolve(value, variables) {
  let text = value;
  for (let found; (found = /var\((--[\w-]+)(?:, ((?:[^()]|\([^()]*\))*))?\)/.exec(text)); ) {
    const replacement = variables[found[1]] ?? found[2];
    if (replacement === undefined) throw new Error(`${found[1]} has no value`);
    text = text.replace(found[0], replacement);
  }
  for (let found; (found = /color-mix\(in srgb, (#\w+) (\d+)%, (#\w+)\)/.exec(text)); ) {
    text = text.replace(found[0], mix(channels(found[1]), Number(found[2]) / 100, channels(found[3])));
  }
  return text;
}

/** @param {string} hex */
const channels = (hex) => (hex.length === 4 ? [...hex.slice(1)].map((one) => one + one) : hex.slice(1).match(/../g)).map((one) => parseInt(one, 16));
const hexOf = (values) => `#${values.map((one) => Math.round(one).toString(16).padStart(2, "0")).join("")}`;
const mix = (first, share, second) => hexOf(first.map((one, index) => one * share + second[index] * (1 - share)));

/** Return a CSS transform as the attribute's value. @param {string} transform @param {string} [origin] */
function plainTransform(transform, origin = "0 0") {
  const [x, y] = origin.split(" ").map(parseFloat);
  const plain = transform.replace(/translateX\((-?[\d.]+)px\)/g, "translate($1 0)").replace(/px|deg/g, "").replace(/, /g, " ");
  return x || y ? `translate(${x} ${y}) ${plain} translate(${-x} ${-y})` : plain;
}

/** Return the attributes for declarations; null for an element that is not seen. */
function attributesOf(declarations, variables) {
  if (declarations.display === "none" || declarations.opacity === "0") return null;
  const { transform, "transform-origin": origin, ...looks } = declarations;
  const attributes = transform === undefined ? {} : { transform: plainTransform(transform, origin) };
  for (const [name, value] of Object.entries(looks)) {
    const plain = resolve(value, variables);
    const translucent = /^rgb\((\d+) (\d+) (\d+) \/ ([\d.]+)\)$/.exec(plain);
    attributes[name] = translucent ? hexOf(translucent.slice(1, 4).map(Number)) : plain;
    if (translucent) attributes[`${name}-opacity`] = translucent[4];
  }
  return attributes;
}

/** Return what is in the drawing of a state, as plain SVG. @param {string} state @param {Rule[]} rules */
function draw(state, rules) {
  const variables = { ...declarationsOf(rules, state, []), "--state": COLORS[state].color, ...ON_ANY_GROUND };
  const inner = svgSource(state).replace(/^<svg[^>]*>|<\/svg>$/g, "").replace(/>\s+</g, "><").trim();
  const plain = inner.replace(/<(\w+)((?: [\w-]+="[^"]*")*)(\/?)>/g, (_tag, name, given, end) => {
    const classes = /class="([^"]*)"/.exec(given)?.[1].trim().split(/\s+/) ?? [];
    const attributes = classes.length ? attributesOf(declarationsOf(rules, state, classes), variables) : {};
    if (attributes === null && !end) throw new Error(`${name} of ${classes} is not seen, and is not empty`);
    if (attributes === null) return "";
    const added = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`).join("");
    return `<${name}${given.replace(/ class="[^"]*"/, "")}${added}${end}>`;
  });
  // A page that has several badges within itself has each id once for each state.
  const named = plain.replaceAll('"tone"', `"tone-${state}"`).replaceAll("url(#tone)", `url(#tone-${state})`);
  return { drawing: withoutEmptyGroups(named), edge: resolve(variables["--edge"], variables), text: TEXTS[`pose.${state}`] };
}

/** @param {string} source */
function withoutEmptyGroups(source) {
  const shorter = source.replaceAll("<g></g>", "").replace(/<g>((?:<(?!g\b|\/g\b)[^>]*>)*)<\/g>/g, "$1");
  return shorter === source ? source : withoutEmptyGroups(shorter);
}

const rules = parseRules(IMAGE_STYLE + STILL);
const text = `${JSON.stringify(Object.fromEntries(STATES.map((state) => [state, draw(state, rules)])), null, 1)}\n`;
if (!process.argv.includes("--check")) {
  writeFileSync(OUTPUT, text);
} else if (readFileSync(OUTPUT, "utf8") !== text) {
  console.error("services/gateway/src/gateway/http/badges.json is not what the poses make; run scripts/check");
  process.exit(1);
}
