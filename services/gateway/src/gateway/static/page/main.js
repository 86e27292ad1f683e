/** Starts the page: creates its parts in the browser's document and connects them. */

import { Session } from "../client/session.js";
import { cloudStyleSheet, pictureUrl, stateColor } from "../cloud/cloud.js";
import { byId } from "../cloud/dom.js";
import { fetchLabels } from "../cloud/labels.js";
import { Texts } from "../cloud/texts.js";
import { adoptFirst } from "./adopt_socket.js";
import { Announcer } from "./announcer.js";
import { App, initialState } from "./app.js";
import { CardRenderer } from "./card.js";
import { DetailView } from "./detail_view.js";
import { EmptyState } from "./empty_state.js";
import { ExtrasLater } from "./extras_later.js";
import { Filters } from "./filters.js";
import { gatewayFolder } from "./gateway_folder.js";
import { LatencyLater } from "./latency_later.js";
import { loadLater } from "./lazy.js";
import { RedrawScheduler } from "./redraw_scheduler.js";
import { Shell } from "./shell.js";
import { renew } from "./reloads.js";
import { followLinks, tabStorage, takeToken } from "./share_link.js";
import { StatusBar } from "./status.js";
import { StoryLater } from "./story_later.js";
import { Wall } from "./wall.js";
import { WallModeLater } from "./wall_mode_later.js";

/** The gateway's file of labels is asked for again after this time. */
const LABELS_MS = 60_000;

document.adoptedStyleSheets = [...document.adoptedStyleSheets, cloudStyleSheet()];

const source = byId(document, "texts");
const texts = new Texts(source.lang, JSON.parse(source.textContent ?? ""), navigator.languages);
// A browser that translates the page says so by its language.
new MutationObserver(() => texts.follow(document.documentElement.lang || source.lang)).observe(document.documentElement, { attributeFilter: ["lang"] });
/** Load a part of the page, with its sentences. @param {string} name */
const load = async (name) => {
  const part = await loadLater(document, name);
  renew(document.body.dataset[name], part.$version, storage, location);
  texts.add(part.$texts);
  return part;
};
const storage = tabStorage(window);
const token = takeToken(location, history, storage);
followLinks(window);
const state = initialState(location);
// Where a token is needed, an empty one is refused at once, with a sentence for the visitor.
const needsToken = document.body.dataset.auth === "jwt" || token !== "";
const folder = gatewayFolder(location);
/** While signals are on, a hidden page stays connected. @type {{isOn: boolean}} */
let signals = { isOn: false };
const client = new Session({
  url: folder,
  pillows: state.subscription,
  token: needsToken ? token : undefined,
  reportShown: true,
  motion: "none",
  hiddenTimeoutMs: () => (signals.isOn ? null : undefined),
  WebSocket: adoptFirst(globalThis.WebSocket, globalThis.preconnection),
}).open();
const announcer = new Announcer(texts);
const story = new StoryLater(
  async () => {
    const { Story } = await load("story");
    return new Story({ document, client, texts, folder, token, pillows: () => state.subscription, colorOf: stateColor, onChange: () => app.refresh() });
  },
  () => performance.now(),
);
const cards = new CardRenderer(client, announcer, texts, story, state.labels);
/** @type {import("./app.js").Views} */
const views = {
  announcer,
  cards,
  detail: new DetailView(document, client, story, texts, state.labels),
  empty: new EmptyState(document, texts),
  filters: new Filters(document, texts, (filter) => app.applyFilter(filter)),
  latency: new LatencyLater(
    async () => new (await load("latency")).LatencyPanel(document, texts),
    () => performance.now(),
  ),
  shell: new Shell(document),
  story,
  status: new StatusBar(document, texts, () => client.retry()),
  wall: new Wall(byId(document, "clouds"), cards, texts),
  wallMode: new WallModeLater(
    document.body,
    async () => (await load("display")).openWallMode(page),
    (callback, ms) => setTimeout(callback, ms),
  ),
};
const scheduler = new RedrawScheduler({
  requestFrame: (callback) => requestAnimationFrame(callback),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  now: () => performance.now(),
});
const app = new App(window, client, state, views, scheduler);
const page = { window, storage, folder, client, state, views, app, texts, pictureUrl, nameOf: (/** @type {string} */ id) => state.labels.nameOf(id) };
const extras = new ExtrasLater(
  window,
  () => load("extras"),
  ({ startExtras }) => (signals = startExtras(page)),
);
client.addEventListener("connection", ({ detail }) => extras.onConnection(detail));
// Ages come behind the first picture.
texts.setAges(false);
const writeAges = () => {
  texts.setAges(true);
  app.refresh();
};
client.addEventListener("connection", () => requestAnimationFrame(() => setTimeout(writeAges)));
app.start();
if (document.body.dataset.labels !== undefined) {
  const takeLabels = async () => {
    const labels = await fetchLabels(folder, token);
    if (labels !== null) app.label(labels);
  };
  takeLabels();
  setInterval(() => document.hidden || client.connection === "disconnected" || takeLabels(), LABELS_MS);
}
