/**
 * The page: applies the client's events to the page's state and renders what changed.
 *
 * Everything that it uses is injected, so that tests need no browser.
 */

import { journey } from "../client/latency.js";
import { isPillowId } from "../client/frames.js";
import { STATES } from "../cloud/poses.js";
import { isCrowd, wallSize } from "./layout.js";
import { hasLatency, PageState } from "./page_state.js";
import { formatHash, parseHash } from "./route.js";
import { isLocked } from "./status.js";
import { noteOrigin } from "./way_back.js";

/** Ages and countdowns are rendered anew this often. */
const TICK_MS = 1_000;
/** The order of a crowded wall changes this often at most, because the eye cannot follow more. */
const ARRANGE_INTERVAL_MS = 1_000;
/** The latency panel changes this often at most: faster numbers cannot be read and cost a layout each. */
const LATENCY_INTERVAL_MS = 500;

/** @typedef {import("../client/session.js").Session} Client */
/** @typedef {import("../client/frames.js").Pillow} Pillow */
/** @typedef {import("./route.js").Filter} Filter */

/**
 * The parts of the page.
 *
 * @typedef {object} Views
 * @property {import("./announcer.js").Announcer} announcer
 * @property {Pick<import("./card.js").CardRenderer, "render" | "stateOf" | "activityOf">} cards
 * @property {Pick<import("./detail_view.js").DetailView, "id" | "open" | "render" | "takeStateChange">} detail
 * @property {Pick<import("./empty_state.js").EmptyState, "render">} empty
 * @property {Pick<import("./filters.js").Filters, "set" | "render">} filters
 * @property {Pick<import("./latency_later.js").LatencyLater, "add" | "render">} latency
 * @property {Pick<import("./shell.js").Shell, "render" | "setBackHash" | "setNoMatch" | "announce" | "focusView" | "setTitlePrefix">} shell
 * @property {Pick<import("./story_later.js").StoryLater, "show" | "hugs">} story
 * @property {Pick<import("./status.js").StatusBar, "render" | "beat">} status
 * @property {import("./wall.js").Wall} wall
 * @property {Pick<import("./wall_mode_later.js").WallModeLater, "set">} wallMode
 */

/** The initial state for an address. @param {{hash: string, search: string}} location */
export function initialState({ hash, search }) {
  const named = new URLSearchParams(search).getAll("pillow").filter(isPillowId);
  return new PageState(named, parseHash(hash));
}

export class App {
  #window;
  #client;
  #state;
  #views;
  #scheduler;
  /** New states whose latency is measured when they are painted. @type {{id: string, pillow: Pillow, sent: number | null}[]} */
  #arrived = [];
  #arrangedAt = -Infinity;
  #latencyRenderedAt = -Infinity;
  #isStarted = false;
  /** Number of pillows that the filter selected last. */
  #selectedCount = 0;

  /**
   * @param {Window} window
   * @param {Client} client
   * @param {PageState} state
   * @param {Views} views
   * @param {import("./redraw_scheduler.js").RedrawScheduler} scheduler
   */
  constructor(window, client, state, views, scheduler) {
    this.#window = window;
    this.#client = client;
    this.#state = state;
    this.#views = views;
    this.#scheduler = scheduler;
  }

  /** Listen to the client and the window, and show what the address names. */
  start() {
    this.#client.addEventListener("change", ({ detail }) => this.#onChange(detail));
    this.#client.addEventListener("motion", ({ detail }) => this.#onMotion(detail.pillows));
    this.#client.addEventListener("connection", () => this.#markAllChanged());
    this.#client.addEventListener("fault", ({ detail }) => console.warn(`A frame was refused: ${detail.message}`));
    this.#window.document.addEventListener("visibilitychange", () => this.#tick());
    this.#window.addEventListener("hashchange", () => this.#navigate());
    this.#window.setInterval(() => this.#tick(), TICK_MS);
    this.#views.filters.set(this.#state.route.filter);
    this.#navigate();
  }

  /** Apply a filter that the user chose, and put it into the address. @param {Filter} filter */
  applyFilter(filter) {
    this.#state.route = { pillow: null, filter };
    const { location, history } = this.#window;
    history.replaceState(null, "", formatHash(filter) || `${location.pathname}${location.search}`);
    this.arrange(true);
  }

  /** What texts or the story of the pillows say has changed. */
  refresh() {
    if (this.#state.route.filter.order === "hugged") this.#state.isOrderStale = true;
    this.#markAllChanged();
  }

  /** Take what people call pillows. @param {Record<string, unknown>} labels by id */
  label(labels) {
    this.#state.rename(this.#state.labels.file(labels));
    this.#requestDraw();
  }

  /** @param {import("../client/client_events.js").ChangeDetail} detail */
  #onChange({ updates, isSnapshot, sent }) {
    this.#views.status.beat(this.#client.lastReceivedAt);
    for (const update of updates) {
      const { id, pillow } = update;
      this.#state.apply(update);
      if (pillow === null) continue;
      if (!this.#window.document.hidden && hasLatency(update, isSnapshot)) this.#arrived.push({ id, pillow, sent });
    }
    // The first states of a page are shown without delay.
    if (isSnapshot) {
      this.#arrangedAt = -Infinity;
      this.#scheduler.skipInterval();
    }
    this.#requestDraw();
  }

  /** Samples have come for states that are known already. @param {Pillow[]} pillows */
  #onMotion(pillows) {
    for (const { pillow } of pillows) this.#state.changed.add(pillow);
    this.#requestDraw();
  }

  /** Show what the fragment of the address names. */
  #navigate() {
    const { detail, filters, shell, wall, wallMode } = this.#views;
    const { hash } = this.#window.location;
    const before = detail.id;
    const subscription = this.#state.navigate(parseHash(hash));
    if (this.#state.route.pillow === null) {
      filters.set(this.#state.route.filter);
      shell.setBackHash(hash);
    }
    wallMode.set(this.#state.route.wall);
    if (subscription !== null) this.#client.subscribe(subscription);
    this.#openView();
    this.arrange(true);
    const isFromWall = detail.id !== null && before === null;
    if (isFromWall) this.#window.scrollTo(0, 0);
    if (isFromWall && this.#isStarted) shell.focusView();
    noteOrigin(this.#window.history, isFromWall && this.#isStarted);
    this.#isStarted = true;
    if (detail.id === null && before !== null) wall.focus(before);
  }

  /** Open the detail view or the wall. */
  #openView() {
    const { viewed, hasBackLink } = this.#state;
    this.#views.detail.open(viewed);
    this.#views.shell.render(viewed, { hasBackLink, name: this.#state.labels.nameOf(viewed ?? "") });
  }

  /** Ages and freshness have changed with the time. */
  #tick() {
    if (this.#window.document.hidden) return;
    this.#views.latency.render(this.#client);
    // Frames without news, which have no event, are seen here.
    this.#views.status.beat(this.#client.lastReceivedAt);
    this.#markAllChanged();
    this.#announce();
  }

  #markAllChanged() {
    for (const { id } of this.#views.wall.cards) this.#state.changed.add(id);
    this.#requestDraw();
  }

  #requestDraw() {
    const interval = this.#views.detail.id === null ? this.#size.redrawIntervalMs : 0;
    this.#scheduler.request(this.#draw, interval);
  }

  get #count() {
    return this.#state.roster.ids.length;
  }

  get #size() {
    return wallSize(this.#count, this.#state.maxDetailed);
  }

  /** Draw clouds in detail up to this number of them. @param {number} maxDetailed */
  limitDetail(maxDetailed) {
    this.#state.maxDetailed = maxDetailed;
    this.arrange();
  }

  #draw = () => {
    const { announcer, detail } = this.#views;
    this.#openView();
    const isArrangeDue = !isCrowd(this.#size) || this.#scheduler.now() - this.#arrangedAt > ARRANGE_INTERVAL_MS;
    if (this.#state.isOrderStale && isArrangeDue) this.arrange();
    // Behind the detail view the wall is not rendered.
    if (detail.id === null) this.#renderChangedCards();
    detail.render();
    this.#showStory();
    if (detail.id !== null && detail.takeStateChange()) announcer.add(detail.id);
    this.#renderStatus();
    this.#measureLatency();
  };

  /** Show the story of the pillow in the detail view, and of those on the wall unless these are a crowd. */
  #showStory() {
    const { detail, story } = this.#views;
    const { order } = this.#state.route.filter;
    const isNeededOnWall = this.#count > 0 && (order === "hugged" || !isCrowd(this.#size));
    // The story renders the facts of a pillow without a state, too.
    const isNeeded = detail.id === null ? isNeededOnWall : this.#client.connection !== "connecting";
    story.show(detail.id, order, isNeeded);
  }

  #renderChangedCards() {
    const { cards, wall } = this.#views;
    for (const id of this.#state.changed) {
      const card = wall.card(id);
      if (card !== undefined) cards.render(card);
    }
    this.#state.changed.clear();
  }

  /**
   * Filter and sort the wall. Behind the detail view, that is left for later.
   *
   * @param {boolean} [isChosen] whether the visitor asked for it
   */
  arrange(isChosen = false) {
    const { cards, detail, filters, story, wall } = this.#views;
    const { roster, route } = this.#state;
    this.#state.isOrderStale = detail.id !== null;
    if (this.#state.isOrderStale) return;
    this.#arrangedAt = this.#scheduler.now();
    const stateOf = (/** @type {string} */ id) => cards.stateOf(id);
    const ids = roster.select(route.filter, stateOf, (id) => -this.#client.age(id), STATES, (id) => story.hugs(id));
    this.#selectedCount = ids.length;
    wall.show(ids, this.#size, isChosen);
    filters.render(roster.countByState(stateOf), ids.length, this.#count);
  }

  #renderStatus() {
    const views = this.#views;
    const { connection, lastingMs, status, pillows, isRetained, watching } = this.#client;
    const isOffline = connection === "disconnected" && this.#window.navigator?.onLine === false;
    views.status.render({ connection, lastingMs, status, count: pillows.size, isRetained, isOffline, watching }, this.#scheduler.now());
    const isEmpty = this.#count === 0 && views.detail.id === null;
    views.empty.render(isEmpty, { isKnown: connection === "live" || connection === "broker-offline", isRetained, isLocked: isLocked(status), isOffline });
    views.shell.setNoMatch(this.#selectedCount === 0 && this.#count > 0);
  }

  /** Measure the latency of the states that this frame shows, once it is painted. */
  #measureLatency() {
    if (this.#arrived.length === 0) return;
    const { detail, latency, wall } = this.#views;
    const painted = this.#arrived.splice(0).filter(({ id }) => detail.id === id || (detail.id === null && wall.card(id) !== undefined));
    this.#scheduler.afterFrame(() => {
      const shown = this.#client.now();
      this.#client.shown(painted.map(({ pillow }) => pillow), shown);
      for (const { id, pillow, sent } of painted) {
        const took = journey(pillow, { forwarded: sent, shown, queueOffsetMs: this.#client.queueOffsetMs });
        if (took !== null) latency.add(id, took);
      }
      const now = this.#scheduler.now();
      if (now - this.#latencyRenderedAt < LATENCY_INTERVAL_MS) return;
      this.#latencyRenderedAt = now;
      latency.render(this.#client);
    });
  }

  /** Announce changes of clouds while they are live; the status bar announces the connection. */
  #announce() {
    if (this.#client.connection !== "live") return;
    const { announcer, cards, detail, shell } = this.#views;
    const text = announcer.next(this.#scheduler.now(), (id) => cards.activityOf(id), detail.id, (id) => this.#state.labels.nameOf(id));
    if (text !== "") shell.announce(text);
  }
}
