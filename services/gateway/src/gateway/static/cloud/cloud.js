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
const PARTS = ["back", "behind", "face", "front"];
/** Clouds begin to move before they scroll into view: further off than a wall keeps its next rows. */
const SIGHT_MARGIN = "300px";

let template;
let drawn = 0;
let sheet;
let sight;

/** The style sheet that every tree with a cloud in it must adopt. */
export function cloudSheet() {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CLOUD_STYLE);
  }
  return sheet;
}

/** What a state is called; one not known here goes by its own name. */
export function stateLabel(state) {
  return states[state]?.label ?? state;
}

/** The colour of a state. */
export function stateColor(state) {
  return (states[state] ?? states.neutral).color;
}

/** The states there are, in the order in which they are shown. */
export const STATES = ["hugging", "punching", "shaking", "spinning", "throwing", "neutral", "notconnected"];

/** What the picture of a state shows, for someone who cannot see it. */
export function pictureText(state) {
  return (POSES[state] ?? POSES.neutral).text;
}

/** A new cloud without a pose; the first `pose` gives it one. */
export function drawCloud() {
  template ??= parse(FRAME);
  const cloud = template.cloneNode(true);
  // Gradients are found by id, and ids must not repeat within a page.
  const id = `cloud-tone-${(drawn += 1)}`;
  cloud.querySelector("linearGradient").id = id;
  cloud.querySelector(".body").setAttribute("fill", `url(#${id})`);
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
  const figure = cloud.querySelector(".figure");
  const arrived = softly ? settle(figure) : null;
  cloud.dataset.pose = known;
  const { body, ...parts } = POSES[known];
  cloud.querySelector(".body").setAttribute("d", BODIES[body]);
  cloud.querySelector(".shade").setAttribute("d", SHADE[body]);
  for (const part of PARTS) swap(cloud.querySelector(`.${part}`), shapes(known, part, parts[part]), softly);
  arrived?.();
  if (softly) pop(cloud);
}

/** Only clouds in sight move. */
function see(entries) {
  for (const { target, isIntersecting } of entries) target.classList.toggle("away", !isIntersecting);
}

const parsed = new Map();

/** A fresh copy of the shapes of one part of a pose, parsed once for all clouds. */
function shapes(state, part, source = "") {
  const key = `${state}.${part}`;
  if (!parsed.has(key)) parsed.set(key, parse(`<svg xmlns="${SVG}"><g class="layer">${source}</g></svg>`).firstChild);
  return parsed.get(key).cloneNode(true);
}

function parse(source) {
  return document.importNode(new DOMParser().parseFromString(source, "image/svg+xml").documentElement, true);
}
