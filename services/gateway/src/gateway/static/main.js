/** The page: the client's news onto cards, at most once a frame and only what changed. */

import { Card } from "./card.js";
import { cloudSheet, drawCloud, pose, stateColor } from "./cloud.js";
import { isPillowId } from "./frames.js";
import { connect } from "./pillowcast.js";
import { StatusBar } from "./status.js";
import { announcement, delayWords } from "./words.js";
import { write } from "./writing.js";

const TICK_MS = 1_000;
/** A screen reader is told of the clouds this often at most; they never stop moving. */
const TELL_EVERY_MS = 10_000;
const FEW = 3;
const MANY = 24;

const byId = (id) => document.getElementById(id);
const inOrder = new Intl.Collator("en", { numeric: true }).compare;

const wanted = new URLSearchParams(location.search).getAll("pillow").filter(isPillowId);
const sky = byId("clouds");
const cards = new Map();
const order = [];
const changed = new Set();
const untold = new Map();
let isDrawing = false;
let toldAt = 0;
let newestDelay = null;

document.adoptedStyleSheets = [...document.adoptedStyleSheets, cloudSheet()];
byId("all").hidden = wanted.length === 0;

const client = connect({ pillows: wanted.length > 0 ? wanted : "all" });
const bar = new StatusBar(document, () => client.retry());

client.addEventListener("change", ({ detail }) => {
  for (const id of detail.changed) changed.add(id);
  for (const id of detail.removed) changed.add(id);
  newestDelay = detail.delay ?? newestDelay;
  drawSoon();
});
client.addEventListener("connection", () => {
  for (const id of [...cards.keys(), ...expected()]) changed.add(id);
  drawSoon();
});
client.addEventListener("fault", ({ detail }) => console.warn(`A frame was refused: ${detail.message}`));
document.addEventListener("visibilitychange", tick);
setInterval(tick, TICK_MS);
drawSoon();

/** Pillows that were asked for by name have a card even before they say a word. */
function expected() {
  return client.connection === "live" || client.connection === "broker-offline" ? wanted : [];
}

function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(draw);
}

function draw() {
  isDrawing = false;
  for (const id of changed) {
    if (client.pillows.has(id) || wanted.includes(id)) showCard(id);
    else removeCard(id);
  }
  changed.clear();
  showPage();
}

function showCard(id) {
  const isNew = !cards.has(id);
  const card = isNew ? addCard(id) : cards.get(id);
  const doing = card.show(client.pillows.get(id), client.freshness(id), client.age(id));
  if (doing !== null && !isNew) untold.set(id, doing);
}

function addCard(id) {
  const card = new Card(id);
  cards.set(id, card);
  const place = placeOf(id);
  sky.insertBefore(card.element, cards.get(order[place])?.element ?? null);
  order.splice(place, 0, id);
  return card;
}

function removeCard(id) {
  cards.get(id)?.element.remove();
  if (cards.delete(id)) order.splice(placeOf(id), 1);
}

/** Where a name stands, or belongs, among the names in order. */
function placeOf(id) {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inOrder(order[middle], id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Time passes: ages grow, the live fall quiet, waits run out. */
function tick() {
  if (document.hidden) return;
  for (const id of cards.keys()) changed.add(id);
  drawSoon();
  tell();
}

function showPage() {
  const { connection, since, status } = client;
  const count = client.pillows.size;
  bar.show({ connection, since, status, count }, Date.now());
  sky.dataset.size = cards.size <= FEW ? "few" : cards.size > MANY ? "many" : "some";
  sky.classList.toggle("crowd", cards.size > MANY);
  showEmpty(cards.size === 0);
  byId("delay").hidden = newestDelay === null || connection !== "live";
  if (newestDelay !== null) write(byId("delay-value"), delayWords(newestDelay));
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
  const place = byId("empty-cloud");
  if (place.firstChild === null) place.append(drawCloud());
  place.style.setProperty("--state", stateColor(isKnown ? "neutral" : "notconnected"));
  pose(place.firstChild, isKnown ? "neutral" : "notconnected");
}

function tell() {
  const now = Date.now();
  if (untold.size === 0 || now - toldAt < TELL_EVERY_MS) return;
  toldAt = now;
  byId("told-clouds").textContent = announcement(untold);
  untold.clear();
}
