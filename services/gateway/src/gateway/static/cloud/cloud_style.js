/**
 * Colours and animations of the cloud as the text of a style sheet, which the page and the shadow
 * root of an embedded cloud adopt.
 *
 * `--state` is the colour of the state; the page or the element sets it. Animations change transform
 * and opacity only, because a browser runs those on its compositor. Nothing moves where a cloud is
 * `.still` or out of sight (`.offscreen`), or if the user prefers reduced motion.
 * A `.plain` cloud moves as a whole. A sleeping one lies still after a minute, because an animation that
 * runs all night costs a display more than the rest of the page.
 */

import { CANVAS } from "./poses.js";

const LOOK = `
.drawing {
  --ink: #33405f;
  --tint: color-mix(in srgb, var(--state) 26%, var(--fluff, #ffffff));
  --edge: color-mix(in srgb, var(--state) 42%, #7d8db0);
}
.drawing * { transform-box: view-box; }
.ground { fill: var(--ground, rgb(60 90 140 / 0.16)); transform-origin: 120px 198px; }
.tone-top { stop-color: var(--fluff, #ffffff); }
.tone-low { stop-color: var(--tint); }
.body, .limb { stroke: var(--edge); stroke-width: 3.5; stroke-linejoin: round; }
.limb { fill: var(--tint); }
.shade { fill: var(--state); opacity: 0.2; }
.gloss { fill: none; stroke: #fff; stroke-width: 6; stroke-linecap: round; }
.eye { fill: var(--ink); }
.spark, .white { fill: #fff; }
.white { stroke: var(--ink); stroke-width: 3.5; }
.cheek { fill: #ff8fab; opacity: 0.45; }
.cheek.strong { fill: #ff6f96; opacity: 0.6; }
.line { fill: none; stroke: var(--ink); stroke-width: 5; stroke-linecap: round; stroke-linejoin: round; }
.line.thin { stroke-width: 2.5; }
.dizzy { stroke-width: 3.6; }
.mouth { fill: #7a2f4b; stroke: var(--ink); stroke-width: 3.5; stroke-linejoin: round; }
.mouth.teeth { fill: #fff; }
.tongue { fill: #ff7d93; }
.heart { fill: #f4537e; stroke: #c92d5c; stroke-width: 1.8; stroke-linejoin: round; }
.arm, .arm-edge { fill: none; stroke-linecap: round; }
.arm { stroke: color-mix(in srgb, var(--state) 14%, var(--fluff, #ffffff)); stroke-width: 20; }
.arm-edge { stroke: var(--edge); stroke-width: 27; }
.star { fill: #ffc93d; stroke: #d98a00; stroke-width: 1.4; stroke-linejoin: round; }
.burst { fill: #ffe27a; stroke: #f08a24; stroke-width: 3; stroke-linejoin: round; }
.leather { fill: #e4483a; stroke: #9c2418; stroke-width: 3.5; }
.thumb { fill: #ee6153; stroke: #9c2418; stroke-width: 3.5; stroke-linecap: round; }
.glove-shine { fill: none; stroke: #ffb3a8; stroke-width: 4; stroke-linecap: round; }
.spring { fill: none; stroke: #8d97ad; stroke-width: 4; stroke-linejoin: round; stroke-linecap: round; }
.cuff { fill: #fff3e8; stroke: #9c2418; stroke-width: 3.5; stroke-linejoin: round; }
.drop { fill: #6ec3f4; stroke: #3a8fc4; stroke-width: 2; }
.motion, .swirl, .speed, .track { fill: none; stroke: var(--state); stroke-linecap: round; stroke-width: 4.5; }
.swirl { stroke-width: 6; opacity: 0.75; }
.speed { stroke-width: 6; }
.track { stroke-dasharray: 1 12; opacity: 0.75; }
.cap { fill: #6f7fb2; stroke: #465486; stroke-width: 3.5; stroke-linejoin: round; }
.cap-stripe { fill: none; stroke: #8f9dca; stroke-width: 7; stroke-linecap: round; }
.cap-brim { fill: none; stroke: #eef1fb; stroke-width: 12; stroke-linecap: round; }
.cap-brim.edge { stroke: #465486; stroke-width: 18.5; }
.pompom { fill: #eef1fb; stroke: #465486; stroke-width: 3; }
.snore { fill: none; stroke: var(--snore, #5f6d8f); stroke-width: 4.2; stroke-linecap: round; stroke-linejoin: round; }
.drawing[data-pose="notconnected"] { --fluff: #eceff5; --edge: #8b95ab; --ink: #566079; }
.drawing[data-pose="throwing"] .flight { transform: translate(20px, -10px) rotate(-13deg) scale(0.82); transform-origin: 120px 110px; }
.drawing[data-pose="spinning"] .flight { transform: scale(0.78); transform-origin: 120px 106px; }
.drawing[data-pose="punching"] .flight { transform: translateX(-8px); }
.drawing[data-pose="spinning"] .ground { transform: scale(0.7); opacity: 0.6; }
.drawing[data-pose="punching"] .glove { transform: translateX(2px); }
`;

const MOVES = `
.figure { transform-origin: 120px 172px; }
[data-pose="neutral"] .figure { animation: breathe 4.2s ease-in-out infinite; }
.blink { transform-origin: 120px 110px; animation: blink 4.7s infinite; }
[data-pose="hugging"] .figure { animation: squeeze 1.5s ease-in-out infinite; }
.held { transform-origin: 120px 150px; animation: beat 1.5s ease-in-out infinite; }
.rise { animation: rise 2.7s ease-in infinite; }
[data-pose="punching"] .figure { animation: jolt 1.3s infinite; }
.glove { animation: punch 1.3s infinite; }
.impact { transform-origin: 190px 110px; animation: impact 1.3s infinite; }
.fly { animation: fly 1.3s infinite; }
[data-pose="shaking"] .figure { animation: shake 0.28s linear infinite; }
.motion { animation: flicker 0.56s ease-in-out infinite; }
[data-pose="spinning"] .figure { transform-origin: 120px 106px; animation: turn 1.9s linear infinite; }
.swirl { transform-origin: 120px 106px; animation: turn 1.9s linear infinite; }
.orbit { transform-origin: 120px 106px; animation: turn 3.8s linear infinite reverse; }
[data-pose="throwing"] .figure { animation: toss 2.2s ease-in-out infinite; }
[data-pose="throwing"] .ground { animation: far 2.2s ease-in-out infinite; }
.speed { animation: rush 0.7s linear infinite; }
.twinkle { animation: flicker 1.1s ease-in-out infinite; }
[data-pose="notconnected"] .figure { animation: doze 5.5s ease-in-out 11; }
.snore { animation: snore 4.2s ease-in-out 14; }
.rise.second { animation-delay: -0.9s; } .rise.third { animation-delay: -1.8s; }
.motion.second { animation-delay: -0.28s; }
.speed.second { animation-delay: -0.25s; } .speed.third { animation-delay: -0.5s; }
.snore.second { animation-delay: -3.4s; } .snore.third { animation-delay: -2.6s; }
.twinkle.second { animation-delay: -0.5s; }
@keyframes breathe { 50% { transform: translateY(-3px) scale(1.02, 1.035); } }
@keyframes blink { 0%, 94%, 100% { transform: none; } 97% { transform: scaleY(0.08); } }
@keyframes squeeze { 50% { transform: scale(0.95, 1.04); } }
@keyframes beat { 0%, 100% { transform: none; } 35% { transform: scale(1.12); } }
@keyframes rise { 0% { transform: translateY(18px) scale(0.5); opacity: 0; } 30% { opacity: 1; } 100% { transform: translateY(-30px); opacity: 0; } }
@keyframes jolt { 0%, 26% { transform: none; } 34% { transform: translateX(-13px) rotate(-6deg) scaleX(0.95); } 56% { transform: translateX(4px) rotate(2deg); } 76%, 100% { transform: none; } }
@keyframes punch { 0%, 100% { transform: translateX(26px); } 30%, 38% { transform: translateX(-7px); } 64% { transform: translateX(30px); } }
@keyframes impact { 0%, 26% { transform: scale(0.3); opacity: 0; } 34% { transform: scale(1.12); opacity: 1; } 62% { transform: scale(1); opacity: 1; } 84%, 100% { transform: scale(0.9); opacity: 0; } }
@keyframes fly { 0%, 28% { transform: scale(0.2); opacity: 0; } 42% { transform: scale(1.2) rotate(40deg); opacity: 1; } 90%, 100% { transform: translateY(-10px) rotate(90deg); opacity: 0; } }
@keyframes shake { 0%, 100% { transform: translateX(-4px) rotate(-1.6deg); } 25% { transform: translate(3px, -2px) rotate(1.2deg); } 50% { transform: translateX(-3px) rotate(-0.8deg); } 75% { transform: translate(4px, 1px) rotate(1.6deg); } }
@keyframes flicker { 50% { opacity: 0.25; } }
@keyframes turn { to { transform: rotate(1turn); } }
@keyframes toss { 0%, 100% { transform: translate(-10px, 14px) rotate(-5deg); } 50% { transform: translate(8px, -14px) rotate(8deg); } }
@keyframes far { 50% { transform: scale(0.66); opacity: 0.5; } }
@keyframes rush { 0% { transform: translate(20px, -5px); opacity: 0; } 35% { opacity: 1; } 100% { transform: translate(-24px, 6px); opacity: 0; } }
@keyframes doze { 50% { transform: scale(1.015, 1.05); } }
@keyframes snore { 0% { transform: translate(-8px, 8px); opacity: 0; } 45% { opacity: 1; } 100% { transform: translate(5px, -7px); opacity: 0; } }
.rise, .fly { transform-box: fill-box; transform-origin: center; }
.cloud { position: relative; aspect-ratio: ${CANVAS.width} / ${CANVAS.height}; margin: 0 auto; transform-origin: 50% 71%; }
.motion-layer { position: absolute; inset: 0; transform-origin: 50% 71%; }
.motion-layer > * { position: absolute; left: 0; top: 0; width: 100%; height: 100%; overflow: visible; }
.plain > .motion-layer > * { left: -5%; top: -2.857%; width: 110%; height: 102.857%; max-width: none; transform-origin: 50% 82%; }
.plain [data-pose="neutral"] { animation: breathe 4.2s ease-in-out infinite; }
.plain [data-pose="hugging"] { animation: squeeze 1.5s ease-in-out infinite; }
.plain [data-pose="punching"] { animation: jolt 1.3s infinite; }
.plain [data-pose="shaking"] { animation: shake 0.28s linear infinite; }
.plain [data-pose="spinning"] { transform-origin: 50% 50%; animation: turn 2.6s linear infinite; }
.plain [data-pose="throwing"] { animation: toss 2.2s ease-in-out infinite; }
.plain [data-pose="notconnected"] { animation: doze 5.5s ease-in-out 11; }
.drawing.still, .drawing.still * { animation: none; }
.offscreen, .offscreen * { animation: none !important; }
.leaving * { animation-play-state: paused; }
@media (prefers-reduced-motion: reduce) {
  .cloud, .cloud * { animation: none !important; }
  [data-pose="spinning"] .figure, .plain [data-pose="spinning"] { transform: rotate(14deg); }
}
`;

export const CLOUD_STYLE = LOOK + MOVES;

/** The style sheet within a picture: no animation, and nothing that its edge would cut off. */
export const IMAGE_STYLE = `${LOOK}
.spring { display: none; }
.drawing[data-pose="spinning"] .ground { opacity: 0; }
@media (prefers-color-scheme: dark) { .drawing { --ground: rgb(3 6 24 / 0.45); --snore: #b8c3e2; } }
`;
