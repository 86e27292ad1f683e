/** Style of `<cloud-pillow>` around the cloud itself, as the text of a style sheet. */

import { CANVAS } from "./poses.js";

export const ELEMENT_STYLE = `
:host { display: inline-block; width: var(--cloud-pillow-width, 220px); max-width: 100%; font: 500 1rem/1.35 ui-rounded, "SF Pro Rounded", system-ui, sans-serif; color: inherit; }
:host([hidden]) { display: none; }
/* Reset the inherited text properties of the embedding page, except its colour. */
figure { margin: 0; text-align: center; line-height: 1.35; letter-spacing: normal; word-spacing: normal; text-indent: 0; text-transform: none; white-space: normal; }
.picture { aspect-ratio: ${CANVAS.width} / ${CANVAS.height}; padding: 0 4%; --ground: var(--cloud-pillow-ground, rgb(60 90 140 / 0.16)); }
.cloud { --fluff: var(--cloud-pillow-fluff, #ffffff); }
:host(:is([data-fresh="stale"], [data-fresh="unknown"])) .drawing { filter: grayscale(0.85) opacity(0.75); }
:host([data-fresh="quiet"]) .drawing { filter: saturate(0.5); }
slot { display: none; }
.waiting slot { display: block; }
.waiting .picture { display: none; }
figcaption { display: grid; justify-items: center; align-content: start; min-height: 4.2em; }
.label { font-weight: 700; overflow-wrap: anywhere; }
.label:empty { display: none; }
.when { font-size: 0.85em; opacity: 0.85; font-variant-numeric: tabular-nums; }
`;
