/** What a client says to its author: wrong options, and a refusal that nobody listens for. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ASYNC_DISPOSE, DISPOSE } from "../../services/gateway/src/gateway/static/client/dispose.js";
import { connect, Pillowcast } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { connect as connectServed } from "../../services/gateway/src/gateway/static/pillowcast.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";

const URL_ = "https://pillows.example/";

/** The lines that are written to the console until the test ends. */
function recordConsole(t) {
  const lines = [];
  t.mock.method(console, "error", (line) => lines.push(line));
  return lines;
}

function setUp(options = {}) {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const client = connect({ url: URL_, WebSocket: FakeWebSocket, fetch: null, ...time.surroundings, random: () => 0.5, page: {}, ...options });
  const snapshot = (more = {}) => {
    const pillow = { pillow: "a", state: "hugging", at: new Date(time.now).toISOString() };
    FakeWebSocket.newest.receive({ type: "snapshot", cursor: "e:1", recovered: false, broker: "online", sent: time.now, pillows: [pillow], ...more });
  };
  return { time, client, snapshot, FakeWebSocket };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("an unknown option is a TypeError with its value and the one that was meant", () => {
  const cases = [
    [{ pillow: "cloud-1" }, 'pillow is no option (its value is "cloud-1"): did you mean pillows?'],
    [{ websocket: null }, "websocket is no option (its value is null): did you mean WebSocket?"],
    [{ onchange: () => {} }, "onchange is no option (its value is a function): did you mean onChange?"],
    [{ tokens: "secret" }, "tokens is no option: did you mean token?"],
  ];
  for (const [options, message] of cases) assert.throws(() => new Pillowcast({ url: URL_, ...options }), { name: "TypeError", message });
  assert.throws(() => new Pillowcast({ url: URL_, nope: 1 }), /^TypeError: nope is no option \(its value is 1\): there are url, pillows, /);
  assert.throws(() => connectServed({ constructor: 1 }), /constructor is no option/);
});

test("an option of a wrong kind is a TypeError that names it, its value and what to pass", () => {
  const circle = {};
  circle.self = circle;
  const wrong = {
    url: 3, pillows: "cloud-1", cursor: 7, token: 3, signal: "stop", hiddenTimeoutMs: Infinity, reportShown: "no", motion: "some", onChange: {}, onConnection: 1,
    WebSocket: 3, fetch: "get", events: circle, clock: 0n, monotonic: NaN, random: 0.5, timers: { setTimeout }, page: null,
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(() => new Pillowcast({ url: URL_, [name]: value }), (error) => error.name === "TypeError" && new RegExp(`^${name} is .+: pass `).test(error.message), name);
  }
  assert.throws(() => new Pillowcast({ url: URL_, WebSocket: 3 }), /WebSocket is 3: pass a class/);
  const none = Object.fromEntries(Object.keys(wrong).map((name) => [name, undefined]));
  assert.doesNotThrow(() => new Pillowcast({ ...none, url: URL_ }), "undefined is the default");
});

test("options that are no object are a TypeError with what to write", () => {
  const cases = [
    ["http://host:1", '{ url: "http://host:1" }'],
    [new URL("wss://host/ws"), '{ url: "https://host/" }'],
    ["cloud-1", '{ pillows: ["cloud-1"] }'],
    [["cloud-1"], '{ url: "https://host/" }'],
    [null, '{ url: "https://host/" }'],
  ];
  for (const start of [connect, connectServed]) {
    for (const [given, meant] of cases) assert.throws(() => start(given), (error) => error.name === "TypeError" && error.message.endsWith(`pass an object, as ${meant}`), String(given));
  }
});

test("a url of another scheme is a TypeError with the one to pass", () => {
  const cases = [
    ["ws://host:8000", "http://host:8000"], ["wss://host/ws", "https://host/"], ["localhost:8000", "http://localhost:8000 or https://localhost:8000"],
    ["pillows.example", "http://pillows.example or https://pillows.example"], ["ftp://host", "https://host/"],
  ];
  for (const [url, meant] of cases) assert.throws(() => new Pillowcast({ url }), { name: "TypeError", message: `url is ${url}: pass the URL of the gateway, as ${meant}` });
});

test("a refusal that nobody listens for is on the console, once", async (t) => {
  const lines = recordConsole(t);
  const { client, FakeWebSocket } = setUp();
  for (const _ of [1, 2]) {
    FakeWebSocket.newest.drop(4403, "origin not allowed");
    await turn();
    client.retry();
  }
  assert.deepEqual(lines, ["pillowcast: https://pillows.example/: the gateway refused (4403): origin not allowed"]);
  client.close();
});

test("a refusal that a listener, a loop or `ready` learns of is not on the console", async (t) => {
  const lines = recordConsole(t);
  const refuse = async (read, options) => {
    const { client, FakeWebSocket } = setUp(options);
    const reading = read(client);
    FakeWebSocket.newest.drop(4401, "a token is needed");
    await turn();
    await reading;
  };
  await refuse(() => {}, { onConnection: () => {} });
  await refuse((client) => client.addEventListener("connection", () => {}));
  await refuse((client) => assert.rejects(client[Symbol.asyncIterator]().next(), { name: "RefusedError" }));
  await refuse((client) => assert.rejects(client.ready, { name: "RefusedError", code: 4401 }));
  assert.deepEqual(lines, []);
  await refuse((client) => client.addEventListener("change", () => {}));
  assert.equal(lines.length, 1, "a listener of states does not learn of it");
});

test("a client that cannot begin says so after connect() has returned, unless it has a listener by then", async (t) => {
  const lines = recordConsole(t);
  const Failing = class { constructor() { throw new Error("forbidden here"); } };
  setUp({ WebSocket: Failing, events: null }).client.addEventListener("connection", () => {});
  await assert.rejects(setUp({ WebSocket: Failing, events: null }).client[Symbol.asyncIterator]().next(), /forbidden/);
  await turn();
  assert.deepEqual(lines, []);
  setUp({ WebSocket: Failing, events: null });
  await turn();
  assert.match(lines.join(), /forbidden here/);
});

test("`ready` is the client, once the last piece of its states has come", async () => {
  const { client, FakeWebSocket, snapshot } = setUp();
  let known;
  const waiting = client.ready.then((ready) => (known = ready));
  FakeWebSocket.newest.accept();
  snapshot({ more: true });
  await turn();
  assert.equal(known, undefined);
  snapshot({ continued: true });
  await waiting;
  assert.equal(known, client);
  assert.deepEqual([...known.pillows.keys()], ["a"]);
  client.close();
  assert.equal(await client.ready, client, "it had all");
});

test("`ready` fails where the client is closed or aborted before, and waits again after open()", async () => {
  const { client, FakeWebSocket, snapshot } = setUp();
  const waiting = client.ready;
  client.close();
  await assert.rejects(waiting, { name: "AbortError" });
  await assert.rejects(client.ready, { name: "AbortError" });
  client.open();
  const again = client.ready;
  FakeWebSocket.newest.accept();
  snapshot();
  assert.equal(await again, client);
  client.close();
  await assert.rejects(setUp({ signal: AbortSignal.abort(new Error("stop")) }).client.ready, /stop/);
});

test("a client that was closed while nobody waited for `ready` causes no unhandled rejection", async (t) => {
  const unhandled = t.mock.fn();
  process.once("unhandledRejection", unhandled);
  setUp().client.close();
  await turn();
  assert.equal(unhandled.mock.callCount(), 0);
  process.removeListener("unhandledRejection", unhandled);
});

test("the methods that `using` and `await using` call close the client", async () => {
  assert.deepEqual([DISPOSE, ASYNC_DISPOSE], [Symbol.dispose ?? DISPOSE, Symbol.asyncDispose ?? ASYNC_DISPOSE]);
  for (const end of [(client) => client[DISPOSE](), (client) => client[ASYNC_DISPOSE]()]) {
    const { client, FakeWebSocket } = setUp();
    await end(client);
    assert.deepEqual([client.status.phase, FakeWebSocket.newest.isClosed], ["idle", true]);
  }
});

test("a client whose listener was removed ends when its loop is left", async () => {
  const { client, FakeWebSocket, snapshot, time } = setUp();
  const listener = () => {};
  client.addEventListener("change", listener);
  client.removeEventListener("change", listener);
  FakeWebSocket.newest.accept();
  snapshot();
  for await (const _ of client) break;
  time.pass(0);
  assert.deepEqual([client.status.phase, time.running], ["idle", 0]);
});

test("nothing is sent over a socket that closes", () => {
  const { client, FakeWebSocket, snapshot, time } = setUp();
  const socket = FakeWebSocket.newest;
  socket.readyState = 1;
  socket.accept();
  snapshot();
  client.subscribe(["a"]);
  const sent = socket.sent.length;
  assert.ok(sent > 0);
  socket.readyState = 2;
  snapshot();
  client.subscribe(["b"]);
  snapshot();
  time.pass(60_000);
  assert.equal(socket.sent.length, sent);
  client.close();
});
