/**
 * The cloud: one character, drawn by hand, that does what its pillow does.
 *
 * Lives here: how the cloud is put together and changed.  Its poses are in poses.js, its
 * colours and movements in style.js, how it goes from one to the next in motion.js.
 *
 * A cloud is a box in a box with one drawing in it, and while it changes with two.  Whatever
 * moves, moves by transform and opacity alone, and no box has two movements of its own: so a
 * browser paints a drawing once and moves it without asking the page.
 */

import states from "../states.js";
import { follow as move, isMoving, pop, swap } from "./motion.js";
import { BODIES, POSES, SHADE } from "./poses.js";
import { CLOUD_STYLE, IMAGE_STYLE } from "./style.js";
import { make, part } from "./writing.js";

const SVG = "http://www.w3.org/2000/svg";
/** What is drawn of a pose without its moving parts: they reach further than the canvas. */
const IMAGE_BOX = "-12 -6 264 216";

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

/**
 * A new cloud without a pose; the first `pose` gives it one.
 *
 * @param {{isPlain?: boolean}} [how] `isPlain`: one of a crowd; it moves as one piece, and is a
 *   picture that all clouds of a state share
 */
export function drawCloud({ isPlain = false } = {}) {
  const cloud = make("div", isPlain ? "cloud plain away" : "cloud away");
  cloud.setAttribute("role", "img");
  cloud.append(make("div", "felt"));
  sight ??= new IntersectionObserver(see);
  sight.observe(cloud);
  return cloud;
}

/**
 * Let a cloud do what its pillow does.
 *
 * @param {HTMLElement} cloud
 * @param {string} state
 * @param {{isSoft?: boolean, isStill?: boolean, color?: string}} [how] `isSoft`: go there from
 *   where it is, and not at once; `isStill`: only look so; `color`: another than the state's own
 */
export function pose(cloud, state, { isSoft = true, isStill = false, color = stateColor(state) } = {}) {
  const known = state in POSES ? state : "neutral";
  const before = cloud.dataset.pose;
  if (before === known && cloud.classList.contains("still") === isStill) return;
  const softly = isSoft && before !== undefined && isMoving(cloud);
  const isPlain = cloud.classList.contains("plain");
  const drawing = isPlain ? pictureOf(known, softly ? null : cloud.querySelector("img")) : drawingOf(known);
  drawing.dataset.pose = known;
  drawing.classList.toggle("still", isStill);
  if (!isPlain) drawing.style.setProperty("--state", color);
  if (drawing.parentNode === null) swap(part(cloud, ".felt"), drawing, softly);
  cloud.classList.toggle("still", isStill);
  if (before === known) return;
  cloud.dataset.pose = known;
  cloud.setAttribute("aria-label", pictureText(known));
  if (softly && !isPlain) pop(cloud);
}

/**
 * Move with what a pillow felt, oldest sample first; for nobody who does not see it.
 *
 * @param {HTMLElement} cloud
 * @param {unknown} motion
 */
export function follow(cloud, motion) {
  if (isMoving(cloud)) move(part(cloud, ".felt"), motion);
}

/** Only clouds in sight move. @param {IntersectionObserverEntry[]} entries */
function see(entries) {
  for (const { target, isIntersecting } of entries) target.classList.toggle("away", !isIntersecting);
}

/** @type {Map<string, SVGElement>} */
const drawings = new Map();
/** @type {Map<string, string>} */
const addresses = new Map();

/** A pose as shapes of the page, each of which can move; parsed once for all clouds. @param {string} state */
function drawingOf(state) {
  const known = drawings.get(state) ?? parse(source(state));
  drawings.set(state, known);
  const drawing = document.importNode(known, true);
  // Gradients are found by id, and ids must not repeat within a page.
  const id = `cloud-tone-${(drawn += 1)}`;
  part(drawing, "linearGradient").id = id;
  part(drawing, ".body").setAttribute("fill", `url(#${id})`);
  return drawing;
}

/**
 * A pose as a picture of its own: one node, however much is drawn on it. One that is there
 * already is changed, which is the least that a browser can have to do.
 *
 * @param {string} state
 * @param {HTMLImageElement | null} [image]
 */
function pictureOf(state, image = null) {
  const address = addresses.get(state) ?? addressOf(state);
  addresses.set(state, address);
  const shown = image ?? /** @type {HTMLImageElement} */ (make("img", "drawing"));
  shown.alt = "";
  shown.decoding = "sync";
  shown.src = address;
  return shown;
}

/** @param {string} state */
function addressOf(state) {
  const style = `<style>${IMAGE_STYLE}.drawing{--state:${stateColor(state)}}</style>`;
  return `data:image/svg+xml,${encodeURIComponent(source(state, IMAGE_BOX, style))}`;
}

/** @param {string} text */
function parse(text) {
  const template = document.createElement("template");
  template.innerHTML = text;
  return part(template.content, "svg");
}

/** A pose as the text of a drawing. @param {string} state */
function source(state, box = "0 0 240 210", style = "") {
  const { body, back = "", behind = "", face = "", front = "" } = POSES[state];
  return `<svg xmlns="${SVG}" class="drawing" data-pose="${state}" viewBox="${box}">${style}
  <defs>
    <linearGradient id="tone" x1="0.3" y1="0" x2="0.6" y2="1">
      <stop class="tone-top" offset="0.25"/>
      <stop class="tone-low" offset="1"/>
    </linearGradient>
  </defs>
  <ellipse class="ground" cx="120" cy="198" rx="58" ry="7"/>
  <g class="back">${back}</g>
  <g class="flight"><g class="figure">
    <g class="behind">${behind}</g>
    <path class="body" fill="url(#tone)" d="${BODIES[body]}"/>
    <path class="shade" d="${SHADE[body]}"/>
    <g class="face">${face}</g>
  </g></g>
  <g class="front">${front}</g>
</svg>`;
}
