import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, Pillowcast } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";

const OFFSET = 90_000;

class CountingTarget extends EventTarget {
  listening = 0;

  addEventListener(...args) {
    this.listening += 1;
    super.addEventListener(...args);
  }

  removeEventListener(...args) {
    this.listening -= 1;
    super.removeEventListener(...args);
  }
}

function setUp(options = {}) {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const document = Object.assign(new CountingTarget(), { visibilityState: "visible" });
  const window = new CountingTarget();
  const client = new Pillowcast({
    url: "https://pillows.example/",
    WebSocket: FakeWebSocket,
    ...time.surroundings,
    random: () => 0.5,
    page: { window, document },
    ...options,
  });
  const events = [];
  for (const type of ["change", "connection", "fault"]) {
    client.addEventListener(type, ({ detail }) => events.push([type, detail]));
  }
  client.open();
  const server = () => time.now + OFFSET;
  const receive = (frame) => FakeWebSocket.newest.receive(frame);
  const pillow = (id, ageMs = 0, more = {}) => ({
    pillow: id, state: "hugging", at: new Date(server() - ageMs).toISOString(), ...more,
  });
  const snapshot = (pillows = [], more = {}) => ({
    type: "snapshot", cursor: "e:1", recovered: false, broker: "online", sent: server(), pillows, ...more,
  });
  const update = (pillows, cursor = "e:2") => ({ type: "update", cursor, sent: server(), pillows });
  const arrive = (...args) => {
    FakeWebSocket.newest.accept();
    receive(snapshot(...args));
  };
  const query = () => new URL(FakeWebSocket.newest.url).searchParams;
  return { time, client, events, server, receive, pillow, snapshot, update, arrive, query, window, document, FakeWebSocket };
}

test("the WebSocket URL is in the gateway's folder and names the pillows", () => {
  const all = setUp();
  assert.equal(all.FakeWebSocket.newest.url, "wss://pillows.example/ws");
  const two = setUp({ url: "http://host:8080/behind/", pillows: ["cloud-1", "cloud-2"] });
  assert.equal(two.FakeWebSocket.newest.url, "ws://host:8080/behind/ws?pillow=cloud-1&pillow=cloud-2");
});

test("it is live only after the snapshot", () => {
  const { client, FakeWebSocket, receive, snapshot } = setUp();
  assert.equal(client.connection, "connecting");
  FakeWebSocket.newest.accept();
  assert.equal(client.connection, "connecting");
  receive(snapshot());
  assert.equal(client.connection, "live");
});

test("a change event lists the changed and the removed ids", () => {
  const { client, events, arrive, receive, pillow, update } = setUp();
  arrive([pillow("a")]);
  receive(update([pillow("b")]));
  receive({ type: "removed", cursor: "e:3", pillows: ["a"] });
  const changes = events.filter(([type]) => type === "change").map(([, { changed, removed }]) => [changed, removed]);
  assert.deepEqual(changes, [[["a"], []], [["b"], []], [[], ["a"]]]);
  assert.deepEqual([...client.pillows.keys()], ["b"]);
});

test("it resumes at the last cursor, and is live only after the next snapshot", () => {
  const { time, client, arrive, receive, update, snapshot, pillow, query, FakeWebSocket } = setUp();
  assert.equal(query().get("since"), null);
  arrive([pillow("a"), pillow("b")]);
  receive(update([pillow("a")], "e:7"));
  FakeWebSocket.newest.drop();
  assert.equal(client.connection, "disconnected");
  time.pass(20_000);
  assert.equal(query().get("since"), "e:7");
  FakeWebSocket.newest.accept();
  assert.equal(client.connection, "disconnected");
  receive(snapshot([pillow("b")], { recovered: true, cursor: "e:9" }));
  assert.equal(client.connection, "live");
  assert.equal(client.pillows.size, 2);
});

test("an attempt that fails before its snapshot keeps the cursor", () => {
  const { time, arrive, query, FakeWebSocket } = setUp();
  arrive([]);
  for (let failure = 0; failure < 3; failure += 1) {
    FakeWebSocket.newest.drop();
    time.pass(20_000);
    assert.equal(query().get("since"), "e:1");
  }
});

test("after a failed first attempt it is disconnected, not connecting", () => {
  const { client, FakeWebSocket } = setUp();
  FakeWebSocket.newest.drop();
  assert.equal(client.connection, "disconnected");
});

test("a pillow is stale or unknown while the connection is not live", () => {
  const { time, client, arrive, pillow, receive, FakeWebSocket } = setUp();
  arrive([pillow("a", 1_000), pillow("b", 16_000), pillow("c", 60_000, { state: "notconnected" })]);
  const all = () => ["a", "b", "c", "d"].map((id) => client.freshness(id));
  assert.deepEqual(all(), ["live", "quiet", "notconnected", "unknown"]);
  time.pass(15_000);
  assert.deepEqual(all(), ["quiet", "quiet", "notconnected", "unknown"]);
  receive({ type: "status", broker: "offline" });
  assert.equal(client.connection, "broker-offline");
  assert.deepEqual(all(), ["stale", "stale", "stale", "unknown"]);
  receive({ type: "status", broker: "online" });
  assert.equal(client.connection, "live");
  FakeWebSocket.newest.drop();
  assert.deepEqual(all(), ["stale", "stale", "stale", "unknown"]);
});

test("how many clients the gateway has is told when it changes, and is not known without a connection", () => {
  const { time, client, receive, arrive, server, FakeWebSocket } = setUp();
  const heard = [];
  client.addEventListener("watching", ({ detail }) => heard.push(detail.watching));
  assert.equal(client.watching, null);
  arrive([], { watching: 1 });
  receive({ type: "heartbeat", sent: server(), watching: 312 });
  receive({ type: "heartbeat", sent: server(), watching: 312 });
  assert.equal(client.watching, 312);
  FakeWebSocket.newest.drop();
  assert.equal(client.watching, null);
  time.pass(20_000);
  arrive([]);
  assert.deepEqual(heard, [1, 312, null]);
});

test("ages are measured on the gateway's clock", () => {
  const { time, client, arrive, pillow, server, receive, FakeWebSocket } = setUp();
  arrive([pillow("a", 4_000)]);
  assert.equal(client.age("a"), 4_000);
  time.pass(0);
  const [ping] = FakeWebSocket.newest.sent;
  assert.equal(ping.type, "ping");
  time.pass(200);
  receive({ type: "pong", sent: ping.sent, received: server() - 100 });
  assert.equal(client.roundTripMs, 200);
  assert.equal(client.now(), server());
  assert.equal(client.age("a"), 4_200);
});

test("a new connection discards the estimate of the gateway's clock", () => {
  const { time, client, arrive, receive, server, FakeWebSocket } = setUp();
  arrive([]);
  receive({ type: "pong", sent: time.monotonic(), received: server() });
  FakeWebSocket.newest.drop();
  time.pass(2_000);
  arrive([], { sent: server() - 70_000 });
  assert.equal(client.now(), server() - 70_000);
});

test("the `sent` of a pong is not used as gateway time", () => {
  const { client, time, arrive, server, receive } = setUp();
  arrive([]);
  receive({ type: "pong", sent: time.monotonic() + 5_000, received: server() });
  assert.equal(client.now(), server());
});

test("there are at most 8 pings in five minutes, and none after the connection", () => {
  const { time, receive, arrive, server, FakeWebSocket } = setUp();
  arrive([]);
  const first = FakeWebSocket.newest;
  for (let beat = 0; beat < 15; beat += 1) {
    time.pass(20_000);
    receive({ type: "heartbeat", sent: server() });
  }
  const pings = first.sent.filter(({ type }) => type === "ping").length;
  assert.ok(pings >= 7 && pings <= 8, `${pings} pings in five minutes`);
  first.drop();
  time.pass(1_500);
  arrive([]);
  time.pass(20_000);
  assert.equal(first.sent.length, pings);
  assert.equal(FakeWebSocket.newest.sent.length, 3);
});

test("after subscribe() the cursor is used again only once its snapshot has arrived", () => {
  const { time, client, arrive, receive, snapshot, update, pillow, query, FakeWebSocket } = setUp({ pillows: ["a"] });
  arrive([pillow("a")]);
  client.subscribe(["a", "b"]);
  assert.deepEqual(FakeWebSocket.newest.sent.at(-1), { type: "subscribe", pillows: ["a", "b"] });
  receive(update([pillow("a")], "e:5"));
  FakeWebSocket.newest.drop();
  time.pass(20_000);
  assert.deepEqual(query().getAll("pillow"), ["a", "b"]);
  assert.equal(query().get("since"), null);
  arrive([pillow("a"), pillow("b")], { cursor: "e:6" });
  client.subscribe("all");
  receive(snapshot([pillow("c")], { cursor: "e:8" }));
  FakeWebSocket.newest.drop();
  time.pass(20_000);
  assert.deepEqual([query().getAll("pillow"), query().get("since")], [[], "e:8"]);
});

test("one request is under way at a time, and the newest follows", () => {
  const { time, client, receive, snapshot, pillow, query, FakeWebSocket } = setUp({ pillows: ["a"] });
  client.subscribe(["b"]);
  FakeWebSocket.newest.accept();
  client.subscribe(["c"]);
  assert.deepEqual(FakeWebSocket.newest.sent, []);
  receive(snapshot([pillow("a")], { more: true }));
  assert.deepEqual(FakeWebSocket.newest.sent, [], "the answer is not complete");
  receive(snapshot([], { continued: true }));
  assert.deepEqual(FakeWebSocket.newest.sent, [{ type: "subscribe", pillows: ["c"] }]);
  FakeWebSocket.newest.drop();
  time.pass(20_000);
  assert.deepEqual([query().getAll("pillow"), query().get("since")], [["c"], null]);
});

test("the delay after a goodbye is within its window", () => {
  const { client, time, arrive, receive, FakeWebSocket } = setUp();
  arrive([]);
  receive({ type: "goodbye", reconnect_ms: [10_000, 12_000] });
  FakeWebSocket.newest.drop(1012);
  assert.equal(client.status.retryInMs, 11_000);
});

test("after a refusal the status has the gateway's reason", () => {
  const { client, FakeWebSocket, receive } = setUp();
  FakeWebSocket.newest.accept();
  receive({ type: "error", code: 4401, message: "the token has expired" });
  FakeWebSocket.newest.drop(4401, "unauthorized");
  assert.equal(client.connection, "disconnected");
  assert.equal(client.status.phase, "stopped");
  assert.equal(client.status.reason, "the token has expired");
  client.retry();
  assert.equal(FakeWebSocket.sockets.length, 2);
});

test("`online` and becoming visible end a wait, becoming hidden does not", () => {
  for (const [target, type, visibility, sockets] of [
    ["window", "online", "visible", 2],
    ["document", "visibilitychange", "visible", 2],
    ["document", "visibilitychange", "hidden", 1],
  ]) {
    const set = setUp();
    set.arrive([]);
    set.FakeWebSocket.newest.drop();
    set.document.visibilityState = visibility;
    set[target].dispatchEvent(new Event(type));
    assert.equal(set.FakeWebSocket.sockets.length, sockets, `${type} ${visibility}`);
    set.client.close();
    assert.equal(set.window.listening + set.document.listening, 0);
    set[target].dispatchEvent(new Event(type));
    assert.equal(set.FakeWebSocket.sockets.length, sockets, "no effect after close");
  }
});

test("a silent connection is lost since its last message", () => {
  const { time, client, arrive } = setUp();
  arrive([]);
  const last = time.now;
  time.pass(30_000);
  assert.equal(client.connection, "disconnected");
  assert.equal(client.since, last);
});

test("an invalid frame fires a fault event and changes nothing", () => {
  const { client, events, arrive, receive, pillow } = setUp();
  arrive([pillow("a")]);
  const before = events.length;
  receive("{nonsense");
  receive({ type: "update", cursor: "e:9", sent: 1, pillows: [{ pillow: "NO" }] });
  receive({ type: "weather" });
  assert.deepEqual(events.slice(before).map(([type]) => type), ["fault", "fault"]);
  assert.equal(client.connection, "live");
  assert.equal(client.pillows.size, 1);
});

const read = async (reader) => {
  const { value } = await reader.next();
  return value && [value.id, value.pillow?.state ?? null, value.previous?.state];
};

test("for await gives the known states, then every update and removal", async () => {
  const { client, arrive, receive, pillow, update } = setUp();
  arrive([pillow("a")]);
  const reader = client[Symbol.asyncIterator]();
  receive(update([pillow("a", 0, { state: "neutral" }), pillow("a", 0, { state: "spinning" })]));
  receive({ type: "removed", cursor: "e:3", pillows: ["a"] });
  assert.deepEqual(await read(reader), ["a", "hugging", undefined]);
  assert.deepEqual(await read(reader), ["a", "neutral", "hugging"]);
  assert.deepEqual(await read(reader), ["a", "spinning", "neutral"]);
  assert.deepEqual(await read(reader), ["a", null, "spinning"]);
});

test("an aborted signal closes the client and ends every loop", async () => {
  const stop = new AbortController();
  const { client, arrive, FakeWebSocket, window } = setUp({ signal: stop.signal });
  arrive([]);
  const waiting = client[Symbol.asyncIterator]().next();
  stop.abort();
  assert.equal((await waiting).done, true);
  assert.ok(FakeWebSocket.newest.isClosed);
  assert.equal(window.listening, 0);
  assert.equal((await client[Symbol.asyncIterator]().next()).done, true);
  client.open();
  assert.equal(FakeWebSocket.sockets.length, 1, "it stays closed");
});

test("a terminal close code ends every loop with a RefusedError, a loss does not", async () => {
  const { client, arrive, FakeWebSocket, time, receive } = setUp();
  arrive([]);
  const reader = client[Symbol.asyncIterator]();
  FakeWebSocket.newest.drop();
  time.pass(20_000);
  FakeWebSocket.newest.accept();
  receive({ type: "error", code: 4403, message: "origin not allowed" });
  const waiting = reader.next();
  FakeWebSocket.newest.drop(4403);
  await assert.rejects(waiting, (fault) => fault.name === "RefusedError" && fault.code === 4403 && /origin not allowed/.test(fault.message));
  await assert.rejects(client[Symbol.asyncIterator]().next(), /4403/);
});

test("without a WebSocket it uses SSE, and subscribe() opens a new stream", () => {
  const opened = [];
  const events = (address) => {
    const stream = { address, close: () => (stream.isClosed = true), send: () => assert.fail("events go one way") };
    opened.push(stream);
    return stream;
  };
  const { client } = setUp({ WebSocket: null, events, pillows: ["a"] });
  assert.equal(opened[0].address, "wss://pillows.example/ws?pillow=a");
  opened[0].onopen();
  opened[0].onmessage({ data: JSON.stringify({ type: "snapshot", cursor: "e:1", recovered: false, broker: "online", sent: 1, pillows: [] }) });
  assert.equal(client.connection, "live");
  assert.equal(client.status.transport, "events");
  client.subscribe(["b"]);
  assert.ok(opened[0].isClosed);
  assert.equal(opened[1].address, "wss://pillows.example/ws?pillow=b");
});

test("clockOffsetMs and roundTripMs are set by a pong", () => {
  const { client, arrive, receive, time, server } = setUp();
  assert.equal(client.clockOffsetMs, null);
  arrive([]);
  time.pass(0);
  time.pass(40);
  receive({ type: "pong", sent: time.monotonic() - 40, received: server() - 20 });
  assert.equal(client.roundTripMs, 40);
  assert.equal(client.clockOffsetMs, OFFSET);
});

test("a url without a trailing slash is the same folder, and a missing one is a TypeError outside a page", () => {
  const { FakeWebSocket } = setUp({ url: "https://pillows.example/behind" });
  assert.equal(FakeWebSocket.newest.url, "wss://pillows.example/behind/ws");
  assert.throws(() => new Pillowcast({}), /url is missing/);
});

test("the option `cursor` is used for the first request, and replaced by each frame's cursor", () => {
  const { client, query, arrive, update, pillow, receive, events, FakeWebSocket, time } = setUp({ cursor: "e:7", pillows: ["a"] });
  assert.equal(client.cursor, "e:7");
  assert.deepEqual([query().get("since"), query().getAll("pillow")], ["e:7", ["a"]]);
  arrive([pillow("a")], { recovered: true, cursor: "e:9" });
  const [, { isSnapshot, isResumed }] = events.find(([type]) => type === "change");
  assert.deepEqual([isSnapshot, isResumed], [true, true]);
  receive(update([pillow("a")], "e:10"));
  assert.equal(client.cursor, "e:10");
  FakeWebSocket.newest.drop();
  time.pass(30_000);
  assert.equal(query().get("since"), "e:10");
});

test("a cursor that is not a text is a TypeError", () => {
  assert.throws(() => setUp({ cursor: 7 }), /TypeError: cursor is 7/);
});

test("a cursor of null means none", () => {
  const { client, query } = setUp({ cursor: null });
  assert.equal(client.cursor, null);
  assert.equal(query().has("since"), false);
});

test("a list that no gateway takes is a TypeError at once", () => {
  const ids = (count, length = 1) => Array.from({ length: count }, (_, n) => `${n}`.padStart(length, "a"));
  assert.throws(() => setUp({ pillows: ids(1_001) }), /TypeError: pillows has 1001 ids: pass at most 1000/);
  assert.throws(() => setUp({ pillows: ids(1_000, 63) }), /TypeError: pillows has 1000 ids in \d+ bytes: the gateway takes 65536/);
  const { client } = setUp({ pillows: ids(1_000) });
  assert.throws(() => client.subscribe(ids(1_001)), TypeError);
});

test("invalid pillows are a TypeError that names them", () => {
  assert.throws(() => setUp({ pillows: [] }), /a list of at least one id/);
  assert.throws(() => setUp({ pillows: ["cloud-1", "Cloud 2"] }), /"Cloud 2" is no pillow's id/);
  const { client } = setUp();
  assert.throws(() => client.subscribe([]), TypeError);
});

test("each update of a loop has the cursor to resume from", async () => {
  const { client, arrive, pillow } = setUp();
  arrive([pillow("a"), pillow("b")]);
  const cursors = [];
  for await (const { cursor } of client) {
    cursors.push(cursor);
    if (cursors.length === 2) break;
  }
  assert.deepEqual(cursors, [null, "e:1"]);
});

test("a listener in the options is called after connect() has returned", async () => {
  const phases = [];
  const client = connect({ url: "https://pillows.example", WebSocket: fakeWebSocket(), onConnection: () => phases.push(client.status.phase) });
  assert.deepEqual(phases, []);
  await null;
  assert.deepEqual(phases, ["connecting"]);
  client.close();
});

test("the last connection event of a socket that fails at once is right", async () => {
  class Failing extends fakeWebSocket() {
    set onclose(listener) {
      queueMicrotask(() => listener?.({ code: 1006, reason: "" }));
    }
  }
  const events = [];
  const client = connect({ url: "https://pillows.example", WebSocket: Failing, events: null, onConnection: ({ detail }) => events.push(detail.connection) });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(events.at(-1), "disconnected");
  assert.equal(client.connection, "disconnected");
  client.close();
});

test("a closed client is disconnected, and connecting after open()", () => {
  const { client, arrive } = setUp();
  arrive();
  client.close();
  assert.equal(client.connection, "disconnected");
  client.open();
  assert.equal(client.connection, "connecting");
});

test("a url that is not http or https is a TypeError that names it", () => {
  for (const url of ["nonsense", "ftp://pillows.example", "wss://pillows.example"]) {
    assert.throws(() => setUp({ url }), new RegExp(`TypeError: url is ${url}: pass the URL`));
  }
});

test("what was shown is reported at most once a second, if the gateway asks", () => {
  const { time, client, arrive, receive, update, pillow, server, FakeWebSocket } = setUp({ reportShown: true, random: () => 0.5 });
  const trace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const reports = () => FakeWebSocket.newest.sent.filter(({ type }) => type === "shown");
  arrive([pillow("a")], { shown: 0.5 });
  client.shown([pillow("a")]);
  assert.deepEqual(reports(), []);
  arrive([pillow("a")], { shown: 0.6 });
  client.shown([]);
  client.shown([pillow("b", 0, { traceparent: trace, hops: { queued: 17 } }), pillow("a")], server() - 5);
  client.shown([pillow("a")]);
  assert.deepEqual(reports(), [{ type: "shown", pillow: "b", shown: server() - 5, queued: 17, traceparent: trace }]);
  receive(update([pillow("a")]));
  time.pass(1_000);
  client.shown([pillow("c", 0, { traceparent: 7, hops: { queued: "x" } })]);
  assert.deepEqual(reports()[1], { type: "shown", pillow: "c", shown: Math.round(client.now()) });
  arrive([]);
  time.pass(1_000);
  client.shown([pillow("a")]);
  assert.equal(reports().length, 2);
});

test("without the option nothing is reported, whatever the gateway asks", () => {
  const { client, arrive, pillow, FakeWebSocket } = setUp({ random: () => 0 });
  arrive([pillow("a")], { shown: 1 });
  client.shown([pillow("a")]);
  assert.equal(FakeWebSocket.newest.sent.filter(({ type }) => type === "shown").length, 0);
});

test("a pillow that is not understood does not hide the others, is counted, and fires `fault` once", () => {
  const { client, events, arrive, receive, update, pillow } = setUp();
  arrive([pillow("a"), { pillow: "b" }, null, pillow("c")]);
  receive(update([{ pillow: "b", state: 5 }, pillow("c"), { pillow: "B", state: "hugging" }]));
  receive(update([{ pillow: "b", state: "" }]));
  assert.deepEqual([...client.pillows.keys()], ["a", "c"]);
  assert.equal(client.connection, "live");
  assert.equal(client.faults, 5);
  const faults = events.filter(([type]) => type === "fault").map(([, error]) => [error.name, error.message]);
  assert.deepEqual(faults, [
    ["FrameError", 'snapshot.pillows[1] is wrong: {"pillow":"b"}'],
    ["FrameError", "snapshot.pillows[2] is wrong: null"],
    ["FrameError", 'update.pillows[2] is wrong: {"pillow":"B","state":"hugging"}'],
  ]);
  assert.equal(client.cursor, "e:2");
});

test("without a network no attempt is made, and the first one as soon as it is back", () => {
  const { time, client, window, arrive, FakeWebSocket } = setUp();
  arrive([]);
  window.dispatchEvent(new Event("offline"));
  assert.equal(FakeWebSocket.newest.sent.at(-1).type, "ping", "whether it is lost is asked of the gateway");
  FakeWebSocket.newest.drop();
  assert.deepEqual([client.status.phase, client.status.reason], ["suspended", "the browser is offline"]);
  time.pass(600_000);
  assert.equal(FakeWebSocket.sockets.length, 1);
  window.dispatchEvent(new Event("online"));
  assert.equal(FakeWebSocket.sockets.length, 2);
  FakeWebSocket.newest.drop();
  assert.equal(client.status.phase, "waiting");
  window.dispatchEvent(new Event("offline"));
  assert.equal(client.status.phase, "suspended");
  time.pass(600_000);
  assert.equal(FakeWebSocket.sockets.length, 2);
  client.retry();
  assert.equal(FakeWebSocket.sockets.length, 3, "who asks for it gets an attempt");
  client.close();
});

test("a browser that was offline from the beginning tries once", () => {
  const { time, window, client, FakeWebSocket } = setUp({ page: { window: Object.assign(new EventTarget(), { navigator: { onLine: false } }) } });
  FakeWebSocket.newest.drop();
  time.pass(600_000);
  assert.deepEqual([FakeWebSocket.sockets.length, client.status.phase, window.listening], [1, "suspended", 0]);
});
