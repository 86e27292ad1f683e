/** Snapshots of several frames, long lists of pillows, and what a client does with its connection. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Pillowcast } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { HIDDEN_EVENTS_TIMEOUT_MS, HIDDEN_TIMEOUT_MS } from "../../services/gateway/src/gateway/static/client/page_lifecycle.js";
import { MAX_QUERY_CHARS } from "../../services/gateway/src/gateway/static/client/subscription.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";

function setUp(options = {}) {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const window = new EventTarget();
  const client = new Pillowcast({
    url: "https://pillows.example/", WebSocket: FakeWebSocket, ...time.surroundings, random: () => 0.5, page: { window, document }, ...options,
  });
  client.open();
  const pillow = (id, state = "hugging") => ({ pillow: id, state, at: new Date(time.now).toISOString() });
  let offset = 0;
  const frame = (type, more) => FakeWebSocket.newest.receive({ type, cursor: `e:${(offset += 1)}`, sent: time.now, ...more });
  const snapshot = (ids, more = {}) => frame("snapshot", { recovered: false, broker: "online", pillows: ids.map((id) => pillow(id)), ...more });
  const update = (...ids) => frame("update", { pillows: ids.map((id) => pillow(id)) });
  const accept = () => FakeWebSocket.newest.accept();
  const query = () => new URL(FakeWebSocket.newest.url).searchParams;
  return { time, client, window, document, snapshot, update, frame, accept, query, FakeWebSocket };
}

const FIRST = { more: true };
const MIDDLE = { more: true, continued: true };
const LAST = { continued: true };
const known = (client) => [...client.pillows.keys()].sort().join("");

test("pillows show as they arrive, and those that no piece names go with the last", () => {
  const { client, accept, snapshot, FakeWebSocket, time } = setUp();
  accept();
  snapshot(["a", "b", "c", "d"]);
  FakeWebSocket.newest.drop();
  time.pass(20_000);
  accept();
  const changes = [];
  client.addEventListener("change", ({ detail }) => changes.push([detail.changed.join(""), detail.removed.join(""), detail.isContinued]));
  snapshot(["a"], FIRST);
  assert.equal(client.connection, "live");
  assert.deepEqual([client.isLoading, client.freshness("a"), client.freshness("b")], [true, "live", "stale"]);
  snapshot(["e"], MIDDLE);
  assert.equal(known(client), "abcde");
  snapshot(["c"], LAST);
  assert.deepEqual([client.isLoading, known(client)], [false, "ace"]);
  assert.deepEqual(changes, [["a", "", false], ["e", "", true], ["c", "bd", true]]);
});

test("an update between two pieces names its pillow, and a removal in between counts", () => {
  const { client, accept, snapshot, update, frame } = setUp();
  accept();
  snapshot(["a", "b", "c"]);
  snapshot(["a"], FIRST);
  update("b");
  frame("removed", { pillows: ["a"] });
  snapshot(["d"], LAST);
  assert.equal(known(client), "bd");
});

test("a snapshot that is cut off is resumed at its last piece, and ends with what both parts named", () => {
  const { time, client, accept, snapshot, query, FakeWebSocket } = setUp();
  accept();
  snapshot(["old", "a"]);
  snapshot(["a"], FIRST);
  snapshot(["b"], MIDDLE);
  FakeWebSocket.newest.drop();
  time.pass(20_000);
  assert.equal(query().get("since"), "e:3");
  accept();
  snapshot(["c"], { recovered: true, more: true });
  assert.equal(client.freshness("old"), "stale");
  snapshot(["d"], { recovered: true, continued: true });
  assert.equal(known(client), "abcd");
});

test("a snapshot that begins anew abandons the incomplete one", () => {
  const { client, accept, snapshot } = setUp();
  accept();
  snapshot(["a", "b"], FIRST);
  snapshot(["b"], FIRST);
  snapshot(["c"], LAST);
  assert.equal(known(client), "bc");
});

test("a list that does not fit a URL is sent as a message, and nothing is removed in between", () => {
  const ids = Array.from({ length: 300 }, (_, n) => `living-room-pillow-number-${n}`);
  const { time, client, accept, snapshot, query, FakeWebSocket } = setUp({ pillows: ids });
  for (let connection = 0; connection < 2; connection += 1) {
    const named = query().getAll("pillow");
    assert.ok(FakeWebSocket.newest.url.length < MAX_QUERY_CHARS + 50 && named.length > 50);
    assert.equal(query().get("since"), null, "the answer is for fewer pillows");
    accept();
    const removed = [];
    client.addEventListener("change", ({ detail }) => removed.push(...detail.removed));
    snapshot(named);
    assert.deepEqual(FakeWebSocket.newest.sent[0], { type: "subscribe", pillows: ids });
    snapshot(ids);
    assert.deepEqual([client.pillows.size, client.isLoading, removed.length], [300, false, 0]);
    FakeWebSocket.newest.drop();
    time.pass(20_000);
  }
});

test("an event stream names every pillow in its URL, because it cannot send", () => {
  const ids = Array.from({ length: 300 }, (_, n) => `living-room-pillow-number-${n}`);
  const opened = [];
  setUp({ pillows: ids, WebSocket: null, events: (address) => opened[opened.push({ address, close() {} }) - 1] });
  assert.equal(new URL(opened[0].address).searchParams.getAll("pillow").length, 300);
});

test("a broker that does not deliver what it retains is told", () => {
  const { client, accept, snapshot, frame } = setUp();
  accept();
  snapshot(["a"], { retained: false });
  assert.equal(client.isRetained, false);
  frame("status", { broker: "offline" });
  assert.equal(client.isRetained, true);
  frame("status", { broker: "online", retained: false });
  assert.equal(client.isRetained, false);
});

test("a frozen page closes its connection, and resumes by cursor", () => {
  const { client, document, accept, snapshot, query, FakeWebSocket } = setUp();
  accept();
  snapshot(["a"]);
  document.dispatchEvent(new Event("freeze"));
  assert.deepEqual([client.status.phase, client.connection, FakeWebSocket.newest.isClosed], ["suspended", "disconnected", true]);
  document.dispatchEvent(new Event("resume"));
  assert.deepEqual([FakeWebSocket.sockets.length, query().get("since"), client.connection], [2, "e:1", "connecting"]);
});

test("a page that is hidden for a while closes its connection, and resumes when it is visible", () => {
  for (const [hiddenTimeoutMs, afterMs] of [[undefined, HIDDEN_TIMEOUT_MS], [60_000, 60_000], [null, Infinity]]) {
    const { time, client, document, accept, snapshot, frame, FakeWebSocket } = setUp({ hiddenTimeoutMs });
    accept();
    snapshot(["a"]);
    document.visibilityState = "hidden";
    document.dispatchEvent(new Event("visibilitychange"));
    for (let ms = 0; ms < Math.min(afterMs, 600_000) - 10_000; ms += 10_000) {
      time.pass(10_000);
      frame("heartbeat", {});
    }
    assert.equal(client.connection, "live");
    time.pass(10_000);
    assert.equal(client.status.phase, afterMs === Infinity ? "open" : "suspended");
    document.visibilityState = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    assert.equal(FakeWebSocket.sockets.length, afterMs === Infinity ? 1 : 2);
    client.close();
    assert.equal(time.running, 0, "no timer is left");
  }
});

test("a hidden page over SSE closes its connection soon, because a browser makes only six to a host", () => {
  const sockets = fakeWebSocket();
  const { time, client, document } = setUp({ WebSocket: null, events: (address) => new sockets(address) });
  sockets.newest.accept();
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  time.pass(HIDDEN_EVENTS_TIMEOUT_MS - 1);
  assert.equal(client.status.phase, "open");
  time.pass(1);
  assert.equal(client.status.phase, "suspended");
  client.close();
});

test("a client ends when its only loop is left, and another loop opens it again", async () => {
  const { time, client, accept, snapshot, FakeWebSocket } = setUp();
  accept();
  snapshot(["a"]);
  for await (const { id } of client) {
    assert.equal(id, "a");
    break;
  }
  for await (const { id } of client) {
    assert.equal(id, "a", "a second loop right after it goes on");
    break;
  }
  assert.equal(FakeWebSocket.newest.isClosed, false);
  time.pass(0);
  assert.deepEqual([client.status.phase, FakeWebSocket.newest.isClosed, time.running], ["idle", true, 0]);
  const reader = client[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value.id, "a");
  assert.match(FakeWebSocket.newest.url, /since=e%3A1/);
});

test("a client with a listener or another loop goes on after a loop is left", async () => {
  for (const listens of [true, false]) {
    const { time, client, accept, snapshot } = setUp();
    accept();
    snapshot(["a"]);
    if (listens) client.addEventListener("change", () => {});
    else client[Symbol.asyncIterator]();
    for await (const _ of client) break;
    time.pass(0);
    assert.equal(client.connection, "live");
  }
});

test("clients that share a signal share one listener, which goes with the last of them", () => {
  const stop = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = stop.signal;
  stop.signal.addEventListener = (...args) => { listeners += 1; addEventListener.apply(stop.signal, args); };
  stop.signal.removeEventListener = (...args) => { listeners -= 1; removeEventListener.apply(stop.signal, args); };
  const clients = Array.from({ length: 15 }, () => setUp({ signal: stop.signal }).client);
  assert.equal(listeners, 1);
  clients.forEach((client) => client.close());
  assert.equal(listeners, 0);
  const again = [1, 2].map(() => setUp({ signal: stop.signal }).client);
  stop.abort();
  assert.deepEqual(again.map(({ status }) => status.phase), ["idle", "idle"]);
});
