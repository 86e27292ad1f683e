/**
 * Animations of a cloud: the change from one pose to the next, and accelerometer samples.
 *
 * Nothing here moves if the user prefers reduced motion, or if the cloud is out of sight.
 */

import { CANVAS } from "./poses.js";

const REDUCED_MOTION = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");
const FADE_MS = 300;
const BOUNCE_MS = 520;
const BOUNCE_EASING = "cubic-bezier(0.3, 1.5, 0.5, 1)";
/** Samples have no rate of their own; at 90 ms each, the eye can still follow one. */
const SAMPLE_MS = 90;
const MOTION_MS = { min: 600, max: 3000 };
const LEAVING = "leaving";

/** Whether a cloud may move: it is in sight, and the user allows motion. @param {Element} cloud */
export function canMove(cloud) {
  return !REDUCED_MOTION?.matches && !cloud.classList.contains("offscreen") && !document.hidden;
}

/**
 * Replace the drawing in a box. If `softly`, the old drawing fades out above the new one.
 *
 * @param {Element} box
 * @param {Element} drawing
 * @param {boolean} softly
 */
export function replaceDrawing(box, drawing, softly) {
  const old = box.firstElementChild;
  for (const child of [...box.children]) if (!softly || child !== old) child.remove();
  // Below the old one, because through two half-transparent clouds the sky would be visible.
  box.prepend(drawing);
  if (!softly || old === null) return;
  old.classList.add(LEAVING);
  // A picture has an animation of `transform` already, and a browser runs two animations of one
  // property on the main thread: so it grows by `scale`. Shapes are animated one by one, and the
  // browser scales the whole SVG on the compositor only by `transform`.
  const growth = old instanceof SVGElement ? { transform: ["none", "scale(1.1)"] } : { scale: [1, 1.1] };
  const fade = old.animate({ opacity: [1, 0], ...growth }, { duration: FADE_MS, easing: "ease-in", fill: "forwards" });
  fade.onfinish = fade.oncancel = () => old.remove();
}

/** Let a cloud bounce once, to show that its state changed. @param {Element} cloud */
export function bounce(cloud) {
  play(cloud, ["scale(1.07, 0.9)", "scale(0.97, 1.05)", "none"], { duration: BOUNCE_MS, easing: BOUNCE_EASING });
}

/**
 * Move a box by accelerometer samples.
 *
 * @param {Element} box
 * @param {unknown} motion samples of `[x, y, z]` in g, oldest first; anything else is ignored
 */
export function playMotion(box, motion) {
  const keyframes = motionKeyframes(motion);
  if (keyframes.length === 0) return;
  const duration = Math.min(Math.max(keyframes.length * SAMPLE_MS, MOTION_MS.min), MOTION_MS.max);
  play(box, keyframes, { duration, easing: "ease-in-out" });
}

/** @type {WeakMap<Element, Animation>} */
const running = new WeakMap();

/**
 * Play an animation and cancel the one before, because a browser runs two animations of one element
 * on the main thread.
 *
 * @param {Element} box
 * @param {string[]} transform
 * @param {KeyframeAnimationOptions} options
 */
function play(box, transform, options) {
  running.get(box)?.cancel();
  running.set(box, box.animate({ transform }, options));
}

/**
 * The transform of each sample: sideways force pushes and tilts, force along gravity squashes,
 * weightlessness lifts. Movements are shares of the canvas, so they fit a cloud of any size. Pure.
 *
 * @param {unknown} motion samples of `[x, y, z]` in g, oldest first
 * @returns {string[]} transforms that begin and end at rest; none without a valid sample
 */
export function motionKeyframes(motion) {
  const samples = Array.isArray(motion) ? motion.filter(isSample) : [];
  if (samples.length === 0) return [];
  return ["none", ...samples.map(sampleTransform), "none"];
}

/** @param {Sample} sample */
function sampleTransform([x, y, z]) {
  const force = Math.hypot(x, y, z);
  const lift = force < 0.5 ? -14 * (1 - force * 2) : 0;
  const push = (clamp(x * 9, 20) / CANVAS.width) * 100;
  const nod = ((clamp(y * 5, 9) + lift) / CANVAS.height) * 100;
  const tilt = clamp(x * 6, 16);
  const squash = clamp((z - 1) * 0.06, 0.16) * (lift < 0 ? 0 : 1);
  return `translate(${round(push)}%, ${round(nod)}%) rotate(${round(tilt)}deg) scale(${round(1 + squash)}, ${round(1 - squash)})`;
}

/** @typedef {[number, number, number]} Sample */

/**
 * @param {unknown} sample
 * @returns {sample is Sample}
 */
function isSample(sample) {
  return Array.isArray(sample) && sample.length === 3 && sample.every(Number.isFinite);
}

/** @type {(value: number, limit: number) => number} */
const clamp = (value, limit) => Math.max(-limit, Math.min(limit, value));
/** @type {(value: number) => number} */
const round = (value) => Math.round(value * 1000) / 1000;
