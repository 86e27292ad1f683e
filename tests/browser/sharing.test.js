/** Clients with the same options share one connection; each has its own pillows and its own end. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { DISPOSE } from "../../services/gateway/src/gateway/static/client/dispose.js";
import { connect, Pillowcast } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { NARROW_AFTER_MS, SUBSCRIBE_INTERVAL_MS } from "../../services/gateway/src/gateway/static/client/shared_session.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const shared = { url: "https://pillows.example/", WebSocket: FakeWebSocket, events: null, random: () => 0.5, ...time.surroundings };
  const options = { ...shared };
  const open = (more) => connect({ ...options, ...more });
  const heard = (client) => {
    const lines = [];
    client.addEventListener("change", ({ detail }) => lines.push(...detail.updates.map(({ id, pillow }) => `${id} ${pillow?.state ?? "removed"}`)));
    return lines;
  };
  const pillow = (id, state = "hugging", seq = 1) => ({ pillow: id, state, at: "2027-01-15T08:00:00Z", seq });
  const snapshot = (pillows, more) => ({ type: "snapshot", cursor: "e:1", recovered: false, broker: "online", sent: time.now, pillows, ...more });
  const update = (pillows, cursor = "e:2") => ({ type: "update", cursor, sent: time.now, pillows });
  const socket = () => FakeWebSocket.newest;
  const arrive = (...pillows) => {
    socket().accept();
    socket().receive(snapshot(pillows));
  };
  const requests = () => socket().sent.filter(({ type }) => type === "subscribe").map(({ pillows }) => pillows);
  const named = () => new URL(socket().url).searchParams.getAll("pillow");
  return { time, FakeWebSocket, options, open, heard, pillow, snapshot, update, socket, arrive, requests, named };
}

test("two clients of one URL share a connection, and each sees only its pillows", async () => {
  const { FakeWebSocket, open, heard, pillow, snapshot, update, socket, arrive, requests } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  const b = open({ pillows: ["cloud-2"] });
  const [fromA, fromB] = [heard(a), heard(b)];
  assert.equal(FakeWebSocket.sockets.length, 1);
  await settle();
  arrive(pillow("cloud-1"));
  assert.deepEqual([a.connection, b.connection], ["live", "connecting"]);
  assert.deepEqual(requests(), [["cloud-1", "cloud-2"]]);
  socket().receive(snapshot([pillow("cloud-1"), pillow("cloud-2")]));
  assert.deepEqual([a.connection, b.connection], ["live", "live"]);
  socket().receive(update([pillow("cloud-2", "shaking", 2)]));
  assert.deepEqual(fromA, ["cloud-1 hugging"]);
  assert.deepEqual(fromB, ["cloud-2 hugging", "cloud-2 shaking"]);
  assert.deepEqual([...a.pillows.keys()], ["cloud-1"]);
  assert.deepEqual([...b.pillows.keys()], ["cloud-2"]);
  a.close();
  b.close();
});

test("a client that comes later gets the known states at once, and its loop begins with them", async () => {
  const { open, heard, pillow, arrive, requests } = setUp();
  const all = open();
  arrive(pillow("cloud-1"), pillow("cloud-2"));
  const later = open({ pillows: ["cloud-2"] });
  const lines = heard(later);
  assert.equal(await later.ready, later);
  assert.deepEqual(lines, ["cloud-2 hugging"]);
  for await (const { id, previous } of all.watch("cloud-1")) {
    assert.deepEqual([id, previous], ["cloud-1", undefined]);
    break;
  }
  assert.deepEqual(requests(), []);
  all.close();
  later.close();
});

test("a pillow that is named all is one pillow", async () => {
  const { open, pillow, arrive, named } = setUp();
  const client = open({ pillows: ["all"] });
  assert.deepEqual(named(), ["all"]);
  arrive(pillow("all"));
  assert.deepEqual([...(await client.ready).pillows.keys()], ["all"]);
  client.close();
});

test("the last client that closes ends the connection, and the next opens another one", () => {
  const { FakeWebSocket, open, arrive, pillow, socket, time } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  const b = open({ pillows: ["cloud-1"] });
  arrive(pillow("cloud-1"));
  a.close();
  assert.deepEqual([socket().isClosed, a.connection, a.status.phase], [false, "disconnected", "idle"]);
  assert.equal(b.connection, "live");
  b[DISPOSE]();
  assert.equal(socket().isClosed, true);
  assert.equal(time.running, 0);
  const c = open({ pillows: ["cloud-1"] });
  assert.equal(FakeWebSocket.sockets.length, 2);
  c.close();
});

test("what differs is not shared: url, token, transport, a cursor, and share: false", () => {
  const { FakeWebSocket, open, options } = setUp();
  const token = () => "t";
  const differing = [{}, { url: "https://other.example" }, { token: "one" }, { token: "two" }, { token }, { hiddenTimeoutMs: null }, { reportShown: true }, { motion: "none" }, { cursor: "e:1" }, { cursor: "e:1" }, { share: false }, { share: false }, { WebSocket: class extends FakeWebSocket {} }];
  const clients = differing.map((more) => open(more));
  assert.equal(FakeWebSocket.sockets.length, differing.length);
  const equal = [{ url: new URL("https://pillows.example") }, { url: "https://pillows.example" }, { token: "one" }, { token }, { onChange: () => {} }, { signal: new AbortController().signal }, { pillows: ["cloud-1"] }];
  clients.push(...equal.map((more) => open(more)), new Pillowcast(options).open());
  assert.equal(FakeWebSocket.sockets.length, differing.length);
  clients.forEach((client) => client.close());
});

test("pillows that nobody wants any more are given up after a while, others are asked for at a distance", async () => {
  const { time, open, heard, pillow, snapshot, socket, arrive, requests } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  arrive(pillow("cloud-1"));
  const lines = heard(a);
  const b = open({ pillows: ["cloud-2"] });
  await settle();
  socket().receive(snapshot([pillow("cloud-1"), pillow("cloud-2")]));
  const c = open({ pillows: ["cloud-3"] });
  const d = open({ pillows: ["cloud-4"] });
  await settle();
  assert.equal(requests().length, 1);
  time.pass(SUBSCRIBE_INTERVAL_MS);
  assert.deepEqual(requests()[1], ["cloud-1", "cloud-2", "cloud-3", "cloud-4"]);
  socket().receive(snapshot(["cloud-1", "cloud-2", "cloud-3"].map((id) => pillow(id))));
  c.close();
  d.close();
  b.close();
  time.pass(NARROW_AFTER_MS - 1);
  assert.equal(requests().length, 2);
  time.pass(1);
  assert.deepEqual(requests()[2], ["cloud-1"]);
  socket().receive(snapshot([pillow("cloud-1")]));
  assert.deepEqual(lines, [], "the snapshots for others tell it nothing");
  a.close();
});

test("a snapshot for others also brings what the gateway did not send otherwise", async () => {
  const { open, heard, pillow, snapshot, socket, arrive } = setUp();
  const a = open({ pillows: ["cloud-1", "cloud-2"] });
  const lines = heard(a);
  arrive(pillow("cloud-1"), pillow("cloud-2"));
  const b = open({ pillows: ["cloud-3"] });
  await settle();
  socket().receive(snapshot([pillow("cloud-1", "shaking", 2), pillow("cloud-3")]));
  assert.deepEqual(lines.slice(2), ["cloud-1 shaking", "cloud-2 removed"]);
  a.close();
  b.close();
});

test("above what one subscription may name, all clients share that of all pillows", async () => {
  const { open, pillow, arrive, requests, snapshot, socket } = setUp();
  const ids = Array.from({ length: 1_001 }, (_, index) => `cloud-${index}`);
  const a = open({ pillows: ids.slice(0, 1_000) });
  arrive();
  socket().receive(snapshot([]));
  const b = open({ pillows: ids.slice(1_000) });
  await settle();
  assert.equal(requests().at(-1), "all");
  socket().receive(snapshot([pillow("cloud-1000"), pillow("others")]));
  assert.deepEqual([...a.pillows.keys(), ...b.pillows.keys()], ["cloud-1000"]);
  a.close();
  b.close();
});

test("after a loss all are disconnected, and resume over one connection at its cursor", async () => {
  const { time, FakeWebSocket, open, pillow, snapshot, socket, arrive } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  arrive(pillow("cloud-1"));
  const b = open({ pillows: ["cloud-2"] });
  await settle();
  socket().receive(snapshot([pillow("cloud-1"), pillow("cloud-2")], { cursor: "e:7" }));
  socket().drop();
  assert.deepEqual([a.connection, b.connection, a.freshness("cloud-1")], ["disconnected", "disconnected", "stale"]);
  time.pass(1_000);
  assert.equal(FakeWebSocket.sockets.length, 2);
  assert.equal(new URL(socket().url).searchParams.get("since"), "e:7");
  socket().accept();
  socket().receive(snapshot([pillow("cloud-2", "shaking", 2)], { cursor: "e:8", recovered: true }));
  assert.deepEqual([a.connection, b.connection, a.cursor, b.pillows.get("cloud-2").state], ["live", "live", "e:8", "shaking"]);
  a.close();
  b.close();
});

test("a client that comes during an outage ends the wait", async () => {
  const { FakeWebSocket, open, pillow, arrive, socket, named } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  socket().drop();
  const b = open({ pillows: ["cloud-2"] });
  assert.equal(FakeWebSocket.sockets.length, 2);
  await settle();
  assert.equal(FakeWebSocket.sockets.length, 2);
  assert.deepEqual(named(), ["cloud-1"]);
  arrive(pillow("cloud-1"));
  a.close();
  b.close();
});

test("each subscribes to other pillows for itself", async () => {
  const { open, heard, pillow, snapshot, socket, arrive, requests, time } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  const b = open({ pillows: ["cloud-2"] });
  await settle();
  arrive(pillow("cloud-1"));
  socket().receive(snapshot([pillow("cloud-1"), pillow("cloud-2")]));
  const lines = heard(a);
  a.subscribe(["cloud-2"]);
  await settle();
  assert.deepEqual(lines, ["cloud-2 hugging", "cloud-1 removed"]);
  time.pass(SUBSCRIBE_INTERVAL_MS);
  assert.deepEqual(requests().at(-1), ["cloud-2"]);
  assert.deepEqual([...b.pillows.keys()], ["cloud-2"]);
  a.close();
  b.close();
});

test("a refusal reaches every client, and is on the console once if none listens", async (context) => {
  const write = context.mock.method(console, "error", () => {});
  const { open, socket } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  const b = open({ pillows: ["cloud-2"] });
  socket().accept();
  socket().drop(4403, "not from here");
  await settle();
  assert.equal(write.mock.callCount(), 1);
  assert.match(write.mock.calls[0].arguments[0], /https:\/\/pillows\.example\/: the gateway refused \(4403\): not from here/);
  await assert.rejects(a.ready, /4403/);
  await assert.rejects(b.ready, /4403/);
  a.close();
  b.close();
});

test("a handle of watch has its own end, and ends with its client", async () => {
  const { open, pillow, arrive, socket } = setUp();
  const clouds = open();
  arrive(pillow("cloud-1"), pillow("cloud-2"));
  const one = clouds.watch("cloud-1");
  const two = clouds.watch(["cloud-2"]);
  await Promise.all([one.ready, two.ready]);
  assert.deepEqual([...one.pillows.keys(), ...two.pillows.keys()], ["cloud-1", "cloud-2"]);
  one.close();
  assert.deepEqual([one.connection, two.connection, clouds.connection, socket().isClosed], ["disconnected", "live", "live", false]);
  clouds.close();
  assert.deepEqual([two.connection, socket().isClosed], ["disconnected", true]);
  assert.throws(() => clouds.watch("Cloud 1"), /is no pillow's id/);
});

test("leaving the loop of a handle ends the handle, and leaves its client alone", async () => {
  const { time, open, pillow, arrive, socket } = setUp();
  const clouds = open();
  arrive(pillow("cloud-1"));
  const handle = clouds.watch("cloud-1");
  for await (const update of handle) {
    assert.equal(update.id, "cloud-1");
    break;
  }
  time.pass(0);
  assert.deepEqual([handle.status.phase, clouds.status.phase], ["idle", "open"]);
  for await (const update of clouds) if (update) break;
  time.pass(0);
  assert.equal(socket().isClosed, true, "nothing reads any more");
});

test("a signal ends only the handle that it was given for", () => {
  const { open, pillow, arrive } = setUp();
  const clouds = open();
  arrive(pillow("cloud-1"));
  const stop = new AbortController();
  const handle = clouds.watch("cloud-1", { signal: stop.signal });
  stop.abort();
  assert.deepEqual([handle.status.phase, clouds.status.phase], ["idle", "open"]);
  clouds.close();
});

test("how many watch is told to each, and the age of a state stays known after the end", async () => {
  const { time, open, pillow, snapshot, socket } = setUp();
  const a = open();
  const numbers = [];
  a.addEventListener("watching", ({ detail }) => numbers.push(detail.watching));
  socket().accept();
  socket().receive(snapshot([pillow("cloud-1")], { watching: 3 }));
  const b = open({ pillows: ["cloud-1"] });
  b.addEventListener("watching", ({ detail }) => numbers.push(detail.watching));
  await settle();
  assert.deepEqual([a.watching, b.watching], [3, 3]);
  b.close();
  assert.deepEqual(numbers, [3, 3, null]);
  time.pass(1_000);
  assert.ok(b.age("cloud-1") >= 1_000);
  assert.equal(b.freshness("cloud-1"), "stale");
  a.close();
});

test("a client that is opened again joins the connection that there is now", async () => {
  const { FakeWebSocket, open, pillow, arrive } = setUp();
  const a = open({ pillows: ["cloud-1"] });
  arrive(pillow("cloud-1"));
  a.close();
  const b = open({ pillows: ["cloud-1"] });
  arrive(pillow("cloud-1", "shaking", 2));
  a.open();
  await settle();
  assert.equal(FakeWebSocket.sockets.length, 2);
  assert.deepEqual([a.connection, a.pillows.get("cloud-1").state], ["live", "shaking"]);
  a.close();
  b.close();
});
