/**
 * The cloud: creates its elements and changes its pose.
 *
 * Its poses are in poses.js, its colours and CSS animations in cloud_style.js, the transition from
 * one pose to the next in motion.js.
 *
 * A cloud is a box within a box that holds one drawing, and two during a transition. Animations
 * change transform and opacity only, at most one on each box, so that a browser paints a drawing
 * once and runs the animation on its compositor.
 */

import colors from "../state_colors.js";
import { CLOUD_STYLE, IMAGE_STYLE } from "./cloud_style.js";
import { createElement, query } from "./dom.js";
import { bounce, canMove, playMotion, replaceDrawing } from "./motion.js";
import { IMAGE_BOX, POSES, svgSource } from "./poses.js";
import { createSvg } from "./svg.js";

/** Number of drawings so far, for ids that are unique within the page. */
let drawings = 0;
/** @type {CSSStyleSheet | undefined} */
let sheet;
/** One for each window. @type {WeakMap<Window, IntersectionObserver>} */
const observers = new WeakMap();

/** The style sheet that every document or shadow root with a cloud must adopt. */
export function cloudStyleSheet() {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CLOUD_STYLE);
  }
  return sheet;
}

/** The colour of a state; that of `neutral` if it is unknown here. @param {string} state */
export function stateColor(state) {
  return colors[Object.hasOwn(colors, state) ? state : "neutral"];
}

/**
 * Create a cloud without a pose; the first `setPose` gives it one.
 *
 * @param {{isPlain?: boolean}} [options] `isPlain`: draw it as one picture that all clouds of a state
 *   share and that moves as a whole, because a crowd of detailed clouds is too much to paint
 */
export function createCloud({ isPlain = false } = {}) {
  const cloud = createElement("div", isPlain ? "cloud plain offscreen" : "cloud offscreen");
  cloud.setAttribute("role", "img");
  cloud.append(createElement("div", "motion-layer"));
  watchSight(cloud);
  return cloud;
}

/** Let a cloud rest while it is out of sight; again once it is in another window. @param {HTMLElement} cloud */
export function watchSight(cloud) {
  const view = cloud.ownerDocument.defaultView;
  if (view === null) return;
  const observer = observers.get(view) ?? new view.IntersectionObserver(markOffscreen);
  observers.set(view, observer);
  observer.observe(cloud);
}

/**
 * Show a cloud in the pose of a state.
 *
 * @param {HTMLElement} cloud
 * @param {string} state
 * @param {import("./texts.js").Texts} texts
 * @param {{isSoft?: boolean, isStill?: boolean, color?: string}} [options] `isSoft`: change with a
 *   transition; `isStill`: without the pose's animation; `color`: instead of the state's own
 */
export function setPose(cloud, state, texts, { isSoft = true, isStill = false, color = stateColor(state) } = {}) {
  const known = Object.hasOwn(POSES, state) ? state : "neutral";
  const before = cloud.dataset.pose;
  // The language of an element may change while its pose stays.
  const description = texts.choose("pose", known);
  if (cloud.getAttribute("aria-label") !== description) cloud.setAttribute("aria-label", description);
  if (before === known && cloud.classList.contains("still") === isStill) return;
  const softly = isSoft && before !== undefined && canMove(cloud);
  const isPlain = cloud.classList.contains("plain");
  const drawing = isPlain ? createPicture(known, softly ? null : cloud.querySelector("img")) : createDrawing(known);
  drawing.dataset.pose = known;
  drawing.classList.toggle("still", isStill);
  if (!isPlain) drawing.style.setProperty("--state", color);
  if (drawing.parentNode === null) replaceDrawing(query(cloud, ".motion-layer"), drawing, softly);
  cloud.classList.toggle("still", isStill);
  if (before === known) return;
  cloud.dataset.pose = known;
  if (softly && !isPlain) bounce(cloud);
}

/**
 * Move a cloud by the accelerometer samples of its pillow, if it may move.
 *
 * @param {HTMLElement} cloud
 * @param {unknown} motion samples of `[x, y, z]` in g, oldest first
 */
export function followMotion(cloud, motion) {
  if (canMove(cloud)) playMotion(query(cloud, ".motion-layer"), motion);
}

/** Mark the clouds that are out of sight; style sheets stop them. @param {IntersectionObserverEntry[]} entries */
function markOffscreen(entries) {
  for (const { target, isIntersecting } of entries) target.classList.toggle("offscreen", !isIntersecting);
}

/** @type {Map<string, SVGElement>} */
const parsed = new Map();
/** @type {Map<string, string>} */
const pictureUrls = new Map();

/** Create a pose as SVG elements that move one by one; it is parsed once for all clouds. @param {string} state */
function createDrawing(state) {
  const template = parsed.get(state) ?? createSvg(svgSource(state));
  parsed.set(state, template);
  const drawing = /** @type {SVGElement} */ (template.cloneNode(true));
  // A fill refers to its gradient by id, and an id must be unique within the page.
  const id = `cloud-tone-${(drawings += 1)}`;
  query(drawing, "linearGradient").id = id;
  query(drawing, ".body").setAttribute("fill", `url(#${id})`);
  return drawing;
}

/**
 * Create a pose as one image. An image that is given is changed instead, because that is the least
 * work for a browser.
 *
 * @param {string} state
 * @param {HTMLImageElement | null} [existing]
 */
function createPicture(state, existing = null) {
  const image = existing ?? createElement("img", "drawing");
  image.alt = "";
  image.decoding = "sync";
  image.src = pictureUrl(state);
  return image;
}

/** The address of the picture of a state, which holds the picture itself. @param {string} state */
export function pictureUrl(state) {
  const known = state in POSES ? state : "neutral";
  const url = pictureUrls.get(known) ?? createPictureUrl(known);
  pictureUrls.set(known, url);
  return url;
}

/** @param {string} state */
function createPictureUrl(state) {
  const style = `<style>${IMAGE_STYLE}.drawing{--state:${stateColor(state)}}</style>`;
  return `data:image/svg+xml,${encodeURIComponent(svgSource(state, `xmlns="http://www.w3.org/2000/svg" viewBox="${IMAGE_BOX}"`, style))}`;
}
