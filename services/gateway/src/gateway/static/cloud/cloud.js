/**
 * The cloud: one character, drawn by hand, that does what its pillow does.
 *
 * Lives here: how the cloud is put together and changed.  Its poses are in poses.js, its
 * colours and movements in style.js, how it goes from one to the next in motion.js.
 */

import states from "../states.js";
import { isMoving, settle, pop, swap } from "./motion.js";
import { BODIES, POSES, SHADE } from "./poses.js";
import { CLOUD_STYLE } from "./style.js";
import { part } from "./writing.js";

const SVG = "http://www.w3.org/2000/svg";
const FRAME = `
<svg xmlns="${SVG}" class="cloud away" viewBox="0 0 240 210" role="img">
  <defs>
    <linearGradient x1="0.3" y1="0" x2="0.6" y2="1">
      <stop class="tone-top" offset="0.25"/>
      <stop class="tone-low" offset="1"/>
    </linearGradient>
  </defs>
  <ellipse class="ground" cx="120" cy="198" rx="58" ry="7"/>
  <g class="back"/>
  <g class="flight"><g class="tilt"><g class="figure">
    <g class="behind"/>
    <path class="body"/>
    <path class="shade"/>
    <g class="face"/>
  </g></g></g>
  <g class="front"/>
</svg>`;
const PARTS = /** @type {const} */ (["back", "behind", "face", "front"]);
/** Clouds begin to move before they scroll into view: further off than a wall keeps its next rows. */
const SIGHT_MARGIN = "300px";

/** @type {SVGElement | undefined} */
let template;
let drawn = 0;
/** @type {CSSStyleSheet | undefined} */
let sheet;
/** @type {IntersectionObserver | undefined} */
let sight;

/** The style sheet that every tree with a cloud in it must adopt. */
export function cloudSheet() {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CLOUD_STYLE);
  }
  return sheet;
}

/** What a state is called; one not known here goes by its own name. @param {string} state */
export function stateLabel(state) {
  return states[state]?.label ?? state;
}

/** The colour of a state. @param {string} state */
export function stateColor(state) {
  return (states[state] ?? states.neutral).color;
}

/** The states there are, in the order in which they are shown. */
export const STATES = ["hugging", "punching", "shaking", "spinning", "throwing", "neutral", "notconnected"];

/** What the picture of a state shows, for someone who cannot see it. @param {string} state */
export function pictureText(state) {
  return (POSES[state] ?? POSES.neutral).text;
}

/** A new cloud without a pose; the first `pose` gives it one. */
export function drawCloud() {
  template ??= parse(FRAME);
  const cloud = /** @type {SVGElement} */ (template.cloneNode(true));
  // Gradients are found by id, and ids must not repeat within a page.
  const id = `cloud-tone-${(drawn += 1)}`;
  part(cloud, "linearGradient").id = id;
  part(cloud, ".body").setAttribute("fill", `url(#${id})`);
  sight ??= new IntersectionObserver(see, { rootMargin: SIGHT_MARGIN });
  sight.observe(cloud);
  return cloud;
}

/**
 * Let a cloud do what its pillow does.
 *
 * @param {SVGElement} cloud
 * @param {string} state
 * @param {boolean} [isSoft] whether to go there from where it is, and not at once
 */
export function pose(cloud, state, isSoft = true) {
  const known = state in POSES ? state : "neutral";
  const before = cloud.dataset.pose;
  if (before === known) return;
  const softly = isSoft && before !== undefined && isMoving(cloud);
  cloud.setAttribute("aria-label", pictureText(known));
  const figure = part(cloud, ".figure");
  const arrived = softly ? settle(figure) : null;
  cloud.dataset.pose = known;
  const { body, ...parts } = POSES[known];
  part(cloud, ".body").setAttribute("d", BODIES[body]);
  part(cloud, ".shade").setAttribute("d", SHADE[body]);
  for (const name of PARTS) swap(part(cloud, `.${name}`), shapes(known, name, parts[name]), softly);
  arrived?.();
  if (softly) pop(cloud);
}

/** Only clouds in sight move. @param {IntersectionObserverEntry[]} entries */
function see(entries) {
  for (const { target, isIntersecting } of entries) target.classList.toggle("away", !isIntersecting);
}

/** @type {Map<string, SVGElement>} */
const parsed = new Map();

/**
 * A fresh copy of the shapes of one part of a pose, parsed once for all clouds.
 *
 * @param {string} state
 * @param {string} name
 */
function shapes(state, name, source = "") {
  const key = `${state}.${name}`;
  const known = parsed.get(key) ?? part(parse(`<svg xmlns="${SVG}"><g class="layer">${source}</g></svg>`), ".layer");
  parsed.set(key, known);
  return /** @type {SVGElement} */ (known.cloneNode(true));
}

/** @param {string} source */
function parse(source) {
  const { documentElement } = new DOMParser().parseFromString(source, "image/svg+xml");
  return /** @type {SVGElement} */ (/** @type {unknown} */ (document.importNode(documentElement, true)));
}
