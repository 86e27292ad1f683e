/**
 * What the wall has beyond its first picture: an order that holds still, moves that are seen, fewer details on
 * a slow device, and a printed page. Loaded after the first clouds are shown.
 */

import { byId } from "../cloud/dom.js";
import { watchMoves } from "./card_moves.js";
import { sortDom } from "./dom_order.js";
import { DETAIL_STEPS, DetailLimit, watchFrames } from "./frame_pace.js";
import { OrderHold } from "./order_hold.js";
import { PRINT_STYLE } from "./print_style.js";
import { wallHash } from "./route.js";
import { addWallKeys } from "./wall_keys.js";

/** @param {import("./extras.js").Surroundings} page */
export function addWallExtras({ window, state, views, app, texts }) {
  const { document } = window;
  const { wall, detail } = views;
  const container = byId(document, "clouds");
  const timers = {
    now: () => performance.now(),
    setTimeout: (/** @type {() => void} */ callback, /** @type {number} */ ms) => window.setTimeout(callback, ms),
    clearTimeout: (/** @type {number} */ timer) => window.clearTimeout(timer),
  };
  const hold = new OrderHold(container, timers, (id) => state.roster.has(id), () => app.arrange());
  const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
  wall.extras = {
    order: (shown, wanted, isChosen) => hold.order(shown, wanted, isChosen),
    sortDom: (cards, rankOf) => sortDom(container, cards, rankOf),
    watchMoves: (cards) => watchMoves(cards, { isAllowed: !reducedMotion.matches && !document.hidden, height: window.innerHeight }),
  };
  // What came meanwhile is not sorted.
  wall.sortDom();
  addWallKeys(container, wall);
  const countOf = () => (detail.id === null ? state.roster.ids.length : 0);
  watchFrames(window, countOf, new DetailLimit(DETAIL_STEPS), (clouds) => app.limitDetail(clouds));
  preparePrint(window, container, wall, texts);
  const link = byId(document, "wall-link");
  link.addEventListener("click", () => link.setAttribute("href", wallHash(state.route.filter)));
}

/**
 * On paper there is no scrolling, so all cards have to exist, and no "5 s ago" without a time.
 *
 * @param {Window} window
 * @param {HTMLElement} container
 * @param {import("./wall.js").Wall} wall
 * @param {import("../cloud/texts.js").Texts} texts
 */
function preparePrint(window, container, wall, texts) {
  const { document } = window;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(PRINT_STYLE);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const stamp = document.createElement("p");
  stamp.className = "print-stamp";
  byId(document, "main").prepend(stamp);
  const set = (/** @type {boolean} */ isPrinted) => {
    if (wall.isPrinted === isPrinted) return;
    wall.isPrinted = isPrinted;
    const time = texts.time(Date.now(), { dateStyle: "full", timeStyle: "medium" });
    stamp.textContent = isPrinted ? texts.format("extras.printed", { time }) : "";
    wall.arrange();
  };
  window.addEventListener("beforeprint", () => set(true));
  window.addEventListener("afterprint", () => set(false));
  // Not every browser has both events, and not every preview fires them.
  window.matchMedia("print").addEventListener("change", ({ matches }) => set(matches));
}
