/**
 * How a cloud goes from one pose to the next, and how it moves with what its pillow felt.
 *
 * Nothing here moves for who wants no motion, nor a cloud that nobody sees.
 */

const STILL = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");
const FADE_MS = 300;
const POP_MS = 520;
const SPRING = "cubic-bezier(0.3, 1.5, 0.5, 1)";
/** Samples come without their rate; at this length each can still be followed by eye. */
const SAMPLE_MS = 90;
const MOVE_MS = { least: 600, most: 3000 };
const LEAVING = "leaving";
/** The canvas on which a cloud is drawn; movements are shares of it, whatever the cloud's size. */
const [WIDTH, HEIGHT] = [240, 210];

/** Whether a cloud may move: in sight, and wanted. @param {Element} cloud */
export function isMoving(cloud) {
  return !STILL?.matches && !cloud.classList.contains("away") && !document.hidden;
}

/**
 * Put another drawing in the place of the one that is there; softly, the old one fades away on it.
 *
 * @param {Element} box
 * @param {Element} drawing
 * @param {boolean} softly
 */
export function swap(box, drawing, softly) {
  const old = box.firstElementChild;
  for (const one of [...box.children]) if (!softly || one !== old) one.remove();
  // Below the old one: two clouds that are half clear would let the sky shine through.
  box.prepend(drawing);
  if (!softly || old === null) return;
  old.classList.add(LEAVING);
  // A picture is moved by `transform` as it is: of two animations of one property neither is free.
  // Shapes are moved part by part, and as a whole for free by nothing but `transform`.
  const growing = old instanceof SVGElement ? { transform: ["none", "scale(1.1)"] } : { scale: [1, 1.1] };
  const fading = old.animate({ opacity: [1, 0], ...growing }, { duration: FADE_MS, easing: "ease-in", fill: "forwards" });
  fading.onfinish = fading.oncancel = () => old.remove();
}

/** A soft bounce: something has happened. @param {Element} cloud */
export function pop(cloud) {
  play(cloud, ["scale(1.07, 0.9)", "scale(0.97, 1.05)", "none"], { duration: POP_MS, easing: SPRING });
}

/**
 * Move with accelerometer samples, oldest first.
 *
 * @param {Element} box
 * @param {unknown} motion
 */
export function follow(box, motion) {
  const frames = keyframes(motion);
  if (frames.length === 0) return;
  const duration = Math.min(Math.max(frames.length * SAMPLE_MS, MOVE_MS.least), MOVE_MS.most);
  play(box, frames, { duration, easing: "ease-in-out" });
}

/** @type {WeakMap<Element, Animation>} */
const playing = new WeakMap();

/**
 * One movement a box: of two the browser would have to work out each frame in the page.
 *
 * @param {Element} box
 * @param {string[]} transform
 * @param {KeyframeAnimationOptions} how
 */
function play(box, transform, how) {
  playing.get(box)?.cancel();
  playing.set(box, box.animate({ transform }, how));
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
  const push = (within(x * 9, 20) / WIDTH) * 100;
  const nod = ((within(y * 5, 9) + lift) / HEIGHT) * 100;
  const turn = within(x * 6, 16);
  const squash = within((z - 1) * 0.06, 0.16) * (lift < 0 ? 0 : 1);
  return `translate(${round(push)}%, ${round(nod)}%) rotate(${round(turn)}deg) scale(${round(1 + squash)}, ${round(1 - squash)})`;
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
