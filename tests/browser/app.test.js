/** The page without a browser: a real client on a fake WebSocket, with views that record what they show. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Session } from "../../services/gateway/src/gateway/static/client/session.js";
import { Announcer } from "../../services/gateway/src/gateway/static/page/announcer.js";
import { App, initialState } from "../../services/gateway/src/gateway/static/page/app.js";
import { RedrawScheduler } from "../../services/gateway/src/gateway/static/page/redraw_scheduler.js";
import { FakeWindow, fakeWebSocket, ManualClock } from "./fakes.js";
import { english } from "./english.js";

const FRAME_MS = 16;
const ALL = { states: [], name: "", order: "name" };

/** Views with the interface that the app uses; each records the arguments of its last call. */
function fakeViews(client) {
  const cards = new Map();
  const shown = { beats: new Set(), cards: [], rendered: [], focused: null, latencies: [] };
  const views = {
    announcer: new Announcer(english),
    cards: {
      stateOf: (id) => client.pillows.get(id)?.state ?? "unknown",
      activityOf: (id) => client.pillows.get(id)?.state,
      render: (card) => shown.rendered.push(card.id),
    },
    detail: {
      id: null,
      hasChanged: false,
      open: (id) => { views.detail.id = id; },
      render: () => {},
      takeStateChange: () => views.detail.hasChanged,
    },
    empty: { render: (isEmpty, facts) => { shown.empty = [isEmpty, facts]; } },
    filters: {
      set: (filter) => { shown.filter = filter; },
      render: (counts, selected, all) => { shown.counts = [Object.fromEntries(counts), selected, all]; },
    },
    latency: { add: (id, { ms }) => shown.latencies.push([id, ms]), render: () => { shown.latencyRendered = true; } },
    shell: {
      render: (id, how) => { shown.view = { id, ...how }; },
      setBackHash: (hash) => { shown.backHash = hash; },
      setNoMatch: (isEmpty) => { shown.noMatch = isEmpty; },
      announce: (text) => { shown.announced = text; },
      focusView: () => { shown.isViewFocused = true; },
    },
    story: {
      show: (id, order, isNeeded) => { shown.story = [id, order, isNeeded]; },
      hugs: (id) => shown.hugs?.[id] ?? 0,
    },
    status: { render: ({ connection, count }) => { shown.status = [connection, count]; }, beat: (receivedAt) => { shown.beats.add(receivedAt); } },
    wall: {
      card: (id) => cards.get(id),
      get cards() { return cards.values(); },
      show: (ids) => {
        shown.cards = ids;
        cards.clear();
        for (const id of ids) cards.set(id, { id });
      },
      focus: (id) => { shown.focused = id; },
    },
    wallMode: { set: (options) => { shown.wallMode = options; } },
  };
  return { views, shown };
}

function setUp(address = {}) {
  const time = new ManualClock();
  const window = new FakeWindow(time, address);
  const FakeWebSocket = fakeWebSocket();
  const state = initialState(window.location);
  const client = new Session({
    url: "https://pillows.example/",
    pillows: state.subscription,
    WebSocket: FakeWebSocket,
    ...time.surroundings,
    random: () => 0.5,
    page: {},
  });
  const { views, shown } = fakeViews(client);
  const scheduler = new RedrawScheduler({
    requestFrame: (callback) => time.timers.setTimeout(callback, FRAME_MS),
    setTimeout: (callback, ms = 0) => time.timers.setTimeout(callback, ms),
    now: time.monotonic,
  });
  const app = new App(window, client, state, views, scheduler);
  client.open();
  app.start();
  FakeWebSocket.newest.accept();
  const pillow = (id, name = "hugging", more = {}) => ({ pillow: id, state: name, at: new Date(time.now).toISOString(), ...more });
  let offset = 0;
  const cursor = () => `e:${(offset += 1)}`;
  const receive = (frame) => FakeWebSocket.newest.receive(frame);
  const snapshot = (...pillows) =>
    receive({ type: "snapshot", cursor: cursor(), recovered: false, broker: "online", sent: time.now, queue_offset: 0, pillows });
  const update = (...pillows) => receive({ type: "update", cursor: cursor(), sent: time.now, pillows });
  const frame = () => time.pass(FRAME_MS);
  return { time, window, client, views, shown, app, pillow, receive, snapshot, update, frame, FakeWebSocket };
}

test("a snapshot is shown with the next frame", () => {
  const { shown, pillow, snapshot, frame } = setUp();
  snapshot(pillow("b"), pillow("a", "spinning"));
  assert.deepEqual(shown.cards, [], "not before the frame");
  frame();
  assert.deepEqual(shown.cards, ["a", "b"]);
  assert.deepEqual(shown.counts, [{ hugging: 1, spinning: 1 }, 2, 2]);
  assert.deepEqual(shown.status, ["live", 2]);
  assert.deepEqual(shown.view, { id: null, hasBackLink: false, name: "" });
});

test("an update renders only the card that changed", () => {
  const { shown, pillow, snapshot, update, frame } = setUp();
  snapshot(pillow("a"), pillow("b"));
  frame();
  shown.rendered.length = 0;
  update(pillow("b"));
  frame();
  assert.deepEqual(shown.rendered, ["b"]);
});

test("the lamp beats for every frame, also for one without news", () => {
  const { time, shown, pillow, receive, snapshot } = setUp();
  snapshot(pillow("a"));
  time.pass(5_000);
  const before = shown.beats.size;
  receive({ type: "heartbeat", sent: time.now });
  time.pass(1_000);
  assert.equal(shown.beats.size, before + 1);
  time.pass(5_000);
  assert.equal(shown.beats.size, before + 1);
});

test("several frames of the gateway make one redraw", () => {
  const { shown, pillow, snapshot, update, frame } = setUp();
  snapshot(pillow("a"), pillow("b"));
  frame();
  shown.rendered.length = 0;
  for (const name of ["spinning", "shaking", "hugging"]) update(pillow("a", name));
  frame();
  assert.deepEqual(shown.rendered, ["a"]);
});

test("the only pillow opens the detail view, a second one the wall", () => {
  const { shown, views, pillow, snapshot, update, frame } = setUp();
  snapshot(pillow("a"));
  frame();
  assert.equal(views.detail.id, "a");
  update(pillow("b"));
  frame();
  assert.equal(views.detail.id, null);
  assert.deepEqual(shown.cards, ["a", "b"]);
});

test("a fragment opens the detail view and subscribes to its pillow only, the wall to all", () => {
  const { window, shown, views, pillow, snapshot, frame, FakeWebSocket } = setUp({ hash: "#a" });
  assert.match(FakeWebSocket.newest.url, /\?pillow=a$/);
  snapshot(pillow("a"));
  frame();
  assert.equal(views.detail.id, "a");
  assert.equal(shown.view.hasBackLink, true);
  assert.notEqual(shown.isViewFocused, true, "a page that opens leaves the focus alone");
  window.navigate("");
  assert.deepEqual(FakeWebSocket.newest.sent.at(-1), { type: "subscribe", pillows: "all" });
  assert.equal(shown.focused, "a", "at once, before the other clouds are known");
  snapshot(pillow("a"), pillow("b"));
  frame();
  assert.equal(views.detail.id, null);
});

test("the detail view opens at the top, and the wall gets the focus back to its card", () => {
  const { window, shown, pillow, snapshot, frame } = setUp();
  snapshot(pillow("a"), pillow("b"));
  frame();
  window.navigate("#b");
  assert.deepEqual(window.scrolledTo, [0, 0]);
  assert.equal(shown.view.hasBackLink, true);
  assert.equal(shown.isViewFocused, true);
  window.navigate("");
  assert.equal(shown.focused, "b");
});

test("the history knows of a cloud whether the wall is before it", () => {
  const { window, pillow, snapshot, frame } = setUp({ hash: "#a" });
  const direct = window.history.state;
  snapshot(pillow("a"));
  frame();
  window.navigate("");
  window.navigate("#a");
  assert.equal(window.history.state.cameFromWall, true);
  window.navigate("");
  window.navigate("#a", direct);
  assert.equal(window.history.state.cameFromWall, false, "where the page was opened, and the visitor went back to");
});

test("a filter selects and sorts the wall, and is put into the address", () => {
  const { window, app, shown, pillow, snapshot, frame } = setUp();
  snapshot(pillow("a"), pillow("b", "spinning"), pillow("c"));
  frame();
  app.applyFilter({ ...ALL, states: ["spinning"] });
  assert.deepEqual(shown.cards, ["b"]);
  assert.deepEqual(window.replaced, ["#state=spinning"]);
  app.applyFilter({ ...ALL, name: "nobody" });
  frame();
  app.applyFilter(ALL);
  assert.deepEqual(window.replaced.at(-1), "/");
});

test("a filter without a match is shown as such", () => {
  const { time, shown, pillow, snapshot } = setUp({ hash: "#name=nobody" });
  snapshot(pillow("a"), pillow("b"));
  time.pass(FRAME_MS);
  assert.equal(shown.noMatch, true);
  assert.deepEqual(shown.filter, { ...ALL, name: "nobody" });
  assert.equal(shown.backHash, "#name=nobody");
});

test("the order of a crowd changes at most once a second, that of fewer pillows at once", () => {
  for (const [count, waits] of [[24, 0], [25, 1_000]]) {
    const { time, shown, pillow, snapshot, update } = setUp({ hash: "#state=spinning" });
    snapshot(...Array.from({ length: count }, (_, n) => pillow(`p${n}`)));
    time.pass(FRAME_MS);
    assert.deepEqual(shown.cards, []);
    time.pass(100);
    update(pillow("p3", "spinning"));
    time.pass(50 + FRAME_MS);
    assert.equal(shown.cards.length, waits === 0 ? 1 : 0, `${count} pillows`);
    time.pass(waits + 1_000);
    assert.deepEqual(shown.cards, ["p3"]);
  }
});

test("nothing is rendered on the wall behind the detail view", () => {
  const { window, shown, pillow, snapshot, update, frame } = setUp();
  snapshot(pillow("a"), pillow("b"));
  frame();
  window.navigate("#a");
  shown.rendered.length = 0;
  update(pillow("b", "spinning"));
  update(pillow("a", "shaking"));
  frame();
  assert.deepEqual(shown.rendered, []);
});

test("every second all cards are rendered, because ages grow; not while the page is hidden", () => {
  const { time, window, shown, pillow, snapshot } = setUp();
  snapshot(pillow("a"), pillow("b"));
  time.pass(500);
  shown.rendered.length = 0;
  time.pass(1_000);
  assert.deepEqual(shown.rendered.sort(), ["a", "b"]);
  window.document.hidden = true;
  shown.rendered.length = 0;
  time.pass(3_000);
  assert.deepEqual(shown.rendered, []);
  window.document.hidden = false;
  window.document.dispatchEvent(new Event("visibilitychange"));
  time.pass(FRAME_MS);
  assert.deepEqual(shown.rendered.sort(), ["a", "b"], "at once when it becomes visible");
});

test("latency is measured of updates that are painted, not of a snapshot or a hidden page", () => {
  const { time, window, shown, pillow, snapshot, update } = setUp();
  const hops = () => ({ queued: time.now - 199 });
  snapshot(pillow("a", "hugging", { hops: hops() }), pillow("b"));
  time.pass(100);
  assert.deepEqual(shown.latencies, []);
  update(pillow("a", "spinning", { hops: hops() }));
  time.pass(FRAME_MS);
  assert.deepEqual(shown.latencies, [["a", 199 + FRAME_MS]]);
  window.document.hidden = true;
  update(pillow("a", "shaking", { hops: hops() }));
  time.pass(100);
  assert.equal(shown.latencies.length, 1);
});

test("the gateway is told of states that were painted, and of no snapshot", () => {
  const { time, client, pillow, snapshot, update } = setUp();
  const shown = [];
  client.shown = (pillows, at) => shown.push([pillows.map(({ state }) => state), Math.round(client.now() - at)]);
  snapshot(pillow("a"), pillow("b"));
  time.pass(100);
  update(pillow("a", "spinning"), pillow("b", "shaking"));
  assert.deepEqual(shown, []);
  time.pass(FRAME_MS);
  assert.deepEqual(shown, [[["spinning", "shaking"], 0]]);
});

test("without the queue's offset no latency is measured", () => {
  const { time, shown, pillow, snapshot, update, receive } = setUp();
  snapshot(pillow("a"));
  receive({ type: "heartbeat", sent: time.now });
  update(pillow("a", "spinning", { hops: { queued: time.now - 199 } }));
  time.pass(FRAME_MS);
  assert.deepEqual(shown.latencies, []);
});

test("a clock that is set back delays no announcement", () => {
  const { time, views, shown, pillow, snapshot, receive } = setUp();
  snapshot(pillow("a"), pillow("b"));
  time.pass(FRAME_MS);
  views.announcer.add("a");
  time.pass(1_000);
  time.now -= 3_600_000;
  views.announcer.add("b");
  for (let second = 0; second < 11; second += 1) {
    time.pass(1_000);
    receive({ type: "heartbeat", sent: time.now });
  }
  assert.match(shown.announced, /^b: /);
});

test("changes are announced while the clouds are live", () => {
  const { time, views, shown, pillow, snapshot, receive } = setUp();
  snapshot(pillow("a"), pillow("b"));
  time.pass(FRAME_MS);
  views.announcer.add("a");
  time.pass(1_000);
  assert.equal(shown.announced, "a: hugging.");
  views.announcer.add("b");
  receive({ type: "status", broker: "offline" });
  time.pass(15_000);
  assert.equal(shown.announced, "a: hugging.");
});

test("a page without pillows is empty, and known to be once the gateway has said so", () => {
  const { time, shown, snapshot } = setUp();
  time.pass(FRAME_MS);
  snapshot();
  time.pass(1_000);
  assert.deepEqual(shown.empty, [true, { isKnown: true, isRetained: true, isLocked: false, isOffline: false }]);
  assert.equal(shown.noMatch, false);
});

test("where the broker retains no states, an empty page waits for news", () => {
  const { time, shown, snapshot, receive } = setUp();
  snapshot();
  receive({ type: "status", broker: "online", retained: false });
  time.pass(1_000);
  assert.deepEqual(shown.empty, [true, { isKnown: true, isRetained: false, isLocked: false, isOffline: false }]);
});

test("a lost connection renders every card", () => {
  const { time, shown, pillow, snapshot, FakeWebSocket } = setUp();
  snapshot(pillow("a"), pillow("b"));
  time.pass(FRAME_MS);
  shown.rendered.length = 0;
  FakeWebSocket.newest.drop();
  time.pass(FRAME_MS);
  assert.deepEqual(shown.rendered.sort(), ["a", "b"]);
  assert.deepEqual(shown.status, ["disconnected", 2]);
});

test("pillows of the query string are shown before they have a state", () => {
  const { shown, snapshot, frame, FakeWebSocket } = setUp({ search: "?pillow=a&pillow=b&pillow=NOT%20ONE" });
  assert.match(FakeWebSocket.newest.url, /\?pillow=a&pillow=b$/);
  snapshot();
  frame();
  assert.deepEqual(shown.cards, ["a", "b"]);
});

test("the story is needed by the detail view, a small wall and the order of hugs, and not by a crowd", () => {
  for (const [count, hash, wanted] of [[24, "", [null, "name", true]], [25, "", [null, "name", false]], [25, "#p3", ["p3", "name", true]], [25, "#order=hugged", [null, "hugged", true]]]) {
    const { time, shown, pillow, snapshot } = setUp({ hash });
    time.pass(FRAME_MS);
    assert.equal(shown.story?.[2] ?? false, false, "not before there are pillows");
    snapshot(...Array.from({ length: count }, (_, n) => pillow(`p${n}`)));
    time.pass(FRAME_MS);
    assert.deepEqual(shown.story, wanted, `${count} pillows, ${hash}`);
  }
});

test("what the story says puts the wall in the order of hugs, ties by name", () => {
  const { app, shown, pillow, snapshot, frame } = setUp({ hash: "#order=hugged" });
  snapshot(pillow("c"), pillow("a"), pillow("b"), pillow("d"));
  frame();
  assert.deepEqual(shown.cards, ["a", "b", "c", "d"]);
  shown.hugs = { b: 2, d: 7, c: 2 };
  app.refresh();
  frame();
  assert.deepEqual(shown.cards, ["d", "b", "c", "a"]);
});
