/**
 * How a cloud goes from one pose to the next, and how it moves with what its pillow felt.
 *
 * Nothing here moves for who wants no motion, nor a cloud that nobody sees.
 */

import { part } from "./writing.js";

const STILL = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");
const FADE_MS = 260;
const SETTLE_MS = 420;
const POP_MS = 520;
const SPRING = "cubic-bezier(0.3, 1.5, 0.5, 1)";
/** Samples come without their rate; at this length each can still be followed by eye. */
const SAMPLE_MS = 90;
const MOVE_MS = { least: 600, most: 3000 };
const LEAVING = "leaving";

/** Whether a cloud may move: in sight, and wanted. @param {Element} cloud */
export function isMoving(cloud) {
  return !STILL?.matches && !cloud.classList.contains("away") && !document.hidden;
}

/**
 * Put other shapes in the place of those in a group; softly, the old ones fade while the new appear.
 *
 * @param {Element} group
 * @param {Element} layer
 * @param {boolean} softly
 */
export function swap(group, layer, softly) {
  const old = group.lastElementChild;
  for (const one of [...group.children]) if (!softly || one !== old) one.remove();
  group.append(layer);
  if (!softly || old === null) return;
  layer.animate({ opacity: [0, 1] }, { duration: FADE_MS, easing: "ease-out" });
  old.classList.add(LEAVING);
  const fading = old.animate({ opacity: [1, 0] }, { duration: FADE_MS, easing: "ease-out", fill: "forwards" });
  fading.onfinish = fading.oncancel = () => old.remove();
}

/**
 * A figure in the middle of a movement goes on from there: call before the change, and what is
 * returned after it.
 *
 * @param {Element} figure
 */
export function settle(figure) {
  const from = getComputedStyle(figure).transform;
  return () => {
    if (from === "none") return;
    figure.animate({ transform: [from, "none"] }, { duration: SETTLE_MS, easing: "ease-out", composite: "add" });
  };
}

/** A soft bounce: something has happened. @param {Element} cloud */
export function pop(cloud) {
  moved(cloud).animate(
    { transform: ["scale(1.07, 0.9)", "scale(0.97, 1.05)", "none"], offset: [0, 0.45, 1] },
    { duration: POP_MS, easing: SPRING, composite: "add" },
  );
}

/**
 * Move with accelerometer samples, oldest first.
 *
 * @param {SVGElement} cloud
 * @param {unknown} motion
 */
export function follow(cloud, motion) {
  const frames = keyframes(motion);
  if (frames.length === 0 || !isMoving(cloud)) return;
  const duration = Math.min(Math.max(frames.length * SAMPLE_MS, MOVE_MS.least), MOVE_MS.most);
  moved(cloud).animate({ transform: frames }, { duration, easing: "ease-in-out", composite: "add" });
}

/**
 * What a cloud does with each sample: sideways force pushes and tilts it, force along gravity
 * squashes it, weightlessness lifts it.  Pure.
 *
 * @param {unknown} motion `[x, y, z]` in g
 * @returns {string[]} transforms, from rest to rest; none of no samples
 */
export function keyframes(motion) {
  const samples = Array.isArray(motion) ? motion.filter(isSample) : [];
  if (samples.length === 0) return [];
  return ["none", ...samples.map(transformOf), "none"];
}

/** @param {Sample} sample */
function transformOf([x, y, z]) {
  const total = Math.hypot(x, y, z);
  const lift = total < 0.5 ? -14 * (1 - total * 2) : 0;
  const push = within(x * 9, 20);
  const nod = within(y * 5, 9) + lift;
  const turn = within(x * 6, 16);
  const squash = within((z - 1) * 0.06, 0.16) * (lift < 0 ? 0 : 1);
  return `translate(${round(push)}px, ${round(nod)}px) rotate(${round(turn)}deg) scale(${round(1 + squash)}, ${round(1 - squash)})`;
}

/** @typedef {[number, number, number]} Sample */

/**
 * @param {unknown} sample
 * @returns {sample is Sample}
 */
function isSample(sample) {
  return Array.isArray(sample) && sample.length === 3 && sample.every(Number.isFinite);
}

/** @type {(value: number, most: number) => number} */
const within = (value, most) => Math.max(-most, Math.min(most, value));
/** @type {(value: number) => number} */
const round = (value) => Math.round(value * 1000) / 1000;

/** In a crowd a cloud moves as one piece. @param {Element} cloud */
function moved(cloud) {
  return cloud.closest(".crowd") ? cloud : part(cloud, ".tilt");
}
