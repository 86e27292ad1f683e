/** The page: the client's news onto cards, at most once a frame and only what changed. */

import { journey } from "../client/hops.js";
import { isPillowId } from "../client/frames.js";
import { connect } from "../client/pillowcast.js";
import { cloudSheet, drawCloud, pose, STATES, stateLabel } from "../cloud/cloud.js";
import { feeling } from "../cloud/words.js";
import { write } from "../cloud/writing.js";
import { Counts, isToldAgain } from "./counts.js";
import { Fleet } from "./fleet.js";
import { readHash, writeHash } from "./route.js";
import { beginningWith } from "./socket.js";
import { StatusBar } from "./status.js";
import { Teller } from "./teller.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";
import { CROWD, DENSE, Wall } from "./wall.js";
import { Way } from "./way.js";

const TICK_MS = 1_000;
/** What changes in a crowd is drawn together, this often at most. */
const CROWD_EVERY_MS = 50;
const DENSE_EVERY_MS = 100;
/** A wall is put in order this often at most; what the eye follows should not run away. */
const SIFT_EVERY_MS = 1_000;
/** Numbers that change with each update cannot be read, and cost a layout each. */
const WAY_EVERY_MS = 500;

const byId = (id) => document.getElementById(id);

document.adoptedStyleSheets = [...document.adoptedStyleSheets, cloudSheet()];

const wanted = new URLSearchParams(location.search).getAll("pillow").filter(isPillowId);
const everyone = wanted.length > 0 ? wanted : "all";
let place = readHash(location.hash);
// Who comes to see one pillow does not wait for the others.
let asked = place.pillow === null ? everyone : [place.pillow];

const client = connect({
  url: new URL(".", document.baseURI),
  pillows: asked,
  WebSocket: beginningWith(globalThis.WebSocket, globalThis.earlySocket),
});
const fleet = new Fleet();
const counts = new Counts();
const bar = new StatusBar(document, () => client.retry());
const wall = new Wall(byId("clouds"), showCard, (id) => `${stateOf(id)} ${client.freshness(id)}`);
const view = new View(client, counts);
const way = new Way();
const tools = new Tools(document, (sift) => {
  place = { pillow: null, sift };
  history.replaceState(null, "", writeHash(sift) || `${location.pathname}${location.search}`);
  arrange();
});

const changed = new Set();
const arrived = [];
const teller = new Teller();
let isDrawing = false;
let isMixed = true;
let siftedAt = -Infinity;
let drawnAt = -Infinity;
let toldWayAt = 0;
let shownOf = 0;

for (const id of wanted) fleet.add(id);

client.addEventListener("change", ({ detail }) => {
  for (const update of detail.updates) take(update, detail);
  // What the page begins with is not kept waiting.
  if (detail.isSnapshot) siftedAt = drawnAt = -Infinity;
  drawSoon();
});
client.addEventListener("connection", ({ detail }) => {
  view.hear(detail);
  for (const { id } of wall.cards) changed.add(id);
  drawSoon();
});
client.addEventListener("fault", ({ detail }) => console.warn(`A frame was refused: ${detail.message}`));
document.addEventListener("visibilitychange", tick);
addEventListener("hashchange", go);
addEventListener("keydown", ({ key, target }) => {
  if (key === "Escape" && view.id !== null && fleet.names.length > 1) byId("back").click();
  if (key === "/" && view.id === null && !target.matches("input, select")) setTimeout(() => byId("by-name").focus());
});
// A pillow may be called main.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
setInterval(tick, TICK_MS);
tools.set(place.sift);
go();

function take(update, { isSnapshot, sent }) {
  const { id, pillow, previous } = update;
  changed.add(id);
  counts.add(update);
  if (pillow === null && !wanted.includes(id)) fleet.remove(id);
  else fleet.add(id);
  if (pillow?.state !== previous?.state || place.sift.order !== "name") isMixed = true;
  if (pillow !== null && id === view.id) view.add(pillow);
  const isNews = !isSnapshot && pillow !== null && pillow.state !== "notconnected" && !isToldAgain(update);
  if (isNews && !document.hidden) arrived.push({ id, pillow, sent });
}

/** The address says what is looked at. */
function go() {
  const before = view.id;
  place = readHash(location.hash);
  if (place.pillow === null) {
    tools.set(place.sift);
    byId("back").href = location.hash || "#";
  }
  const pillows = place.pillow !== null && asked !== everyone ? [place.pillow] : everyone;
  if (String(pillows) !== String(asked)) client.subscribe((asked = pillows));
  look();
  arrange();
  if (view.id !== null && before === null) scrollTo(0, 0);
  if (view.id === null && before !== null) wall.focus(before);
}

/** One pillow fills the page: the one that was asked for, or the only one there is. */
function look() {
  const only = fleet.names.length === 1 ? fleet.names[0] : null;
  const id = place.pillow ?? only;
  view.open(id);
  byId("back").hidden = place.pillow === null || (wanted.length === 1 && wanted[0] === place.pillow);
  byId("wall").hidden = id !== null;
  const title = id === null ? "Pillowcast" : `${id} · Pillowcast`;
  if (document.title !== title) document.title = title;
}

function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  const wait = view.id === null ? drawnAt + pauseOf(fleet.names.length) - performance.now() : 0;
  if (wait > 0) setTimeout(() => requestAnimationFrame(draw), wait);
  else requestAnimationFrame(draw);
}

function pauseOf(count) {
  if (count <= CROWD) return 0;
  return count <= DENSE ? CROWD_EVERY_MS : DENSE_EVERY_MS;
}

function draw() {
  isDrawing = false;
  drawnAt = performance.now();
  look();
  if (isMixed && (performance.now() - siftedAt > SIFT_EVERY_MS || fleet.names.length <= CROWD)) arrange();
  // A wall that is not looked at waits.
  if (view.id === null) {
    for (const id of changed) {
      const card = wall.card(id);
      if (card !== undefined) showCard(card);
    }
    changed.clear();
  }
  view.show();
  if (view.id !== null && view.takeTurn()) teller.add(view.id);
  showPage();
  measure();
}

/** When this frame is on the screen, what came is shown. */
function measure() {
  if (arrived.length === 0) return;
  const news = arrived.splice(0).filter(({ id }) => view.id === id || (view.id === null && wall.card(id) !== undefined));
  setTimeout(() => {
    const shown = client.now();
    for (const { id, pillow, sent } of news) {
      const took = journey(pillow, { forwarded: sent, shown });
      if (took !== null) way.add(id, took);
    }
    if (shown - toldWayAt < WAY_EVERY_MS) return;
    toldWayAt = shown;
    way.show(client);
  });
}

function showCard(card) {
  const doing = card.show(client.pillows.get(card.id), client.freshness(card.id), client.age(card.id));
  if (doing !== null) teller.add(card.id);
}

function stateOf(id) {
  return client.pillows.get(id)?.state ?? "unknown";
}

/** Who is on the wall, and where. */
function arrange() {
  isMixed = view.id !== null;
  if (isMixed) return;
  siftedAt = performance.now();
  const ids = fleet.sifted(place.sift, stateOf, (id) => -client.age(id), STATES);
  shownOf = ids.length;
  wall.show(ids, fleet.names.length);
  tools.show(fleet.counts(stateOf), ids.length, fleet.names.length);
}

/** Time passes: ages grow, the live fall quiet, waits run out. */
function tick() {
  if (document.hidden) return;
  way.show(client);
  for (const { id } of wall.cards) changed.add(id);
  drawSoon();
  tell();
}

function showPage() {
  const { connection, since, status } = client;
  bar.show({ connection, since, status, count: client.pillows.size }, Date.now());
  showEmpty(fleet.names.length === 0 && view.id === null);
  byId("none").hidden = shownOf > 0 || fleet.names.length === 0;
}

function showEmpty(isEmpty) {
  const isKnown = client.connection === "live" || client.connection === "broker-offline";
  byId("empty").hidden = !isEmpty;
  if (!isEmpty) return;
  byId("empty-next").hidden = !isKnown;
  write(byId("empty-title"), isKnown ? "A clear sky" : "Nothing to see yet");
  write(
    byId("empty-text"),
    isKnown
      ? "No pillow has said anything yet. Clouds appear here by themselves as soon as one does."
      : "The clouds appear here as soon as the page has reached the gateway.",
  );
  // Until more is known, the picture that the page came with stays.
  if (!isKnown) return;
  const place = byId("empty-cloud");
  if (place.querySelector(".cloud") === null) place.replaceChildren(drawCloud());
  pose(place.firstChild, "neutral");
}

/** Of what is not live the status has told. */
function tell() {
  if (client.connection !== "live") return;
  const doingOf = (id) => feeling(client.pillows.get(id), client.freshness(id), client.age(id), stateLabel).doing;
  const text = teller.next(Date.now(), doingOf, view.id);
  if (text !== "") byId("told-clouds").textContent = text;
}
