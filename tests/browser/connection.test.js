import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Connection,
  CONNECT_TIMEOUT_MS,
  PROBE_TIMEOUT_MS,
  STABLE_AFTER_MS,
} from "../../services/gateway/src/gateway/static/client/connection.js";
import { SILENCE_TIMEOUT_MS } from "../../services/gateway/src/gateway/static/client/silence_timer.js";
import { TOO_MANY_DELAY_MS } from "../../services/gateway/src/gateway/static/client/retry_policy.js";
import { fakeWebSocket, ManualClock, seeded } from "./fakes.js";

function setUp({ random = () => 0.5, address = () => "ws://host/ws" } = {}) {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const received = [];
  const phases = [];
  let probes = 0;
  const connection = new Connection({
    address,
    random,
    WebSocket: FakeWebSocket,
    ...time.surroundings,
    onMessage: (data) => received.push(data),
    onStatus: ({ phase }) => phases.push(phase),
    sendProbe: () => (probes += 1),
  });
  connection.open();
  const serve = (ms = STABLE_AFTER_MS) => {
    FakeWebSocket.newest.accept();
    FakeWebSocket.newest.receive("hello");
    time.pass(ms);
  };
  const wait = () => connection.status.retryInMs;
  return { time, connection, received, phases, serve, wait, FakeWebSocket, probes: () => probes };
}

test("it requests the subprotocol and passes every message on", () => {
  const { FakeWebSocket, received, phases, serve } = setUp();
  assert.deepEqual(FakeWebSocket.newest.protocols, ["pillowcast.v1"]);
  serve(0);
  assert.deepEqual(received, ["hello"]);
  assert.deepEqual(phases, ["connecting", "open"]);
});

test("an attempt without an answer is abandoned after CONNECT_TIMEOUT_MS", () => {
  const { time, connection, FakeWebSocket } = setUp();
  const first = FakeWebSocket.newest;
  time.pass(CONNECT_TIMEOUT_MS - 1);
  assert.equal(connection.status.phase, "connecting");
  time.pass(1);
  assert.equal(connection.status.phase, "waiting");
  assert.ok(first.isClosed);
});

test("after a loss it retries, each time after a delay from a wider window, up to 20 s", () => {
  const { time, connection, FakeWebSocket, wait } = setUp({ random: () => 1 });
  const waits = [];
  for (let failure = 0; failure < 8; failure += 1) {
    FakeWebSocket.newest.drop();
    waits.push(wait());
    time.pass(wait());
    assert.equal(connection.status.phase, "connecting");
  }
  assert.deepEqual(waits, [1000, 1500, 2500, 4500, 8500, 16500, 20000, 20000]);
  assert.equal(FakeWebSocket.sockets.length, 9);
});

test("each delay is drawn with a new random number", () => {
  const { time, FakeWebSocket, wait } = setUp({ random: seeded(7) });
  const waits = new Set();
  for (let failure = 0; failure < 20; failure += 1) {
    FakeWebSocket.newest.drop();
    waits.add(wait());
    time.pass(wait());
  }
  assert.equal(waits.size, 20);
});

test("the delay grows while connections are lost before STABLE_AFTER_MS", () => {
  const { time, FakeWebSocket, serve, wait } = setUp({ random: () => 1 });
  for (const expected of [1000, 1500, 2500]) {
    serve(STABLE_AFTER_MS - 1);
    FakeWebSocket.newest.drop();
    assert.equal(wait(), expected);
    time.pass(expected);
  }
});

test("the delay starts again from its minimum after STABLE_AFTER_MS of messages", () => {
  const { time, FakeWebSocket, serve, wait } = setUp({ random: () => 1 });
  for (let failure = 0; failure < 3; failure += 1) {
    FakeWebSocket.newest.drop();
    time.pass(wait());
  }
  serve(STABLE_AFTER_MS);
  FakeWebSocket.newest.drop();
  assert.equal(wait(), 1000);
});

test("an open connection without a message is not stable", () => {
  const { time, FakeWebSocket, wait } = setUp({ random: () => 1 });
  FakeWebSocket.newest.drop();
  time.pass(wait());
  FakeWebSocket.newest.accept();
  time.pass(STABLE_AFTER_MS * 2);
  FakeWebSocket.newest.drop();
  assert.equal(wait(), 1500);
});

for (const code of [4400, 4401, 4403, 4408]) {
  test(`close code ${code} stops it until open() is called`, () => {
    const { time, connection, FakeWebSocket, serve } = setUp();
    serve();
    FakeWebSocket.newest.drop(code, "no");
    assert.deepEqual(connection.status, { phase: "stopped", transport: "websocket", retryInMs: null, retryAt: null, code, reason: "no" });
    time.pass(3_600_000);
    assert.equal(FakeWebSocket.sockets.length, 1);
    connection.open();
    assert.equal(FakeWebSocket.sockets.length, 2);
  });
}

test("wake() revives a refused connection once, and again after it was stable", () => {
  const { connection, FakeWebSocket, serve } = setUp();
  const refuseAndWake = () => {
    serve(0); // the gateway tells why before it closes
    FakeWebSocket.newest.drop(4403, "no");
    connection.wake();
    return FakeWebSocket.sockets.length;
  };
  assert.equal(refuseAndWake(), 2);
  assert.equal(refuseAndWake(), 2, "it was refused again");
  connection.wake();
  assert.equal(FakeWebSocket.sockets.length, 2);
  connection.open();
  serve();
  assert.equal(refuseAndWake(), 4);
});

for (const code of [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 4000, 4499]) {
  test(`close code ${code} is followed by a retry`, () => {
    const { time, FakeWebSocket, serve } = setUp();
    serve();
    FakeWebSocket.newest.drop(code);
    time.pass(5_000);
    assert.equal(FakeWebSocket.sockets.length, 2);
  });
}

test("after close code 4429 it waits at least 30 s, also after wake()", () => {
  const { time, connection, FakeWebSocket, wait } = setUp({ random: () => 0 });
  FakeWebSocket.newest.drop(4429);
  assert.ok(wait() >= TOO_MANY_DELAY_MS);
  time.pass(TOO_MANY_DELAY_MS - 1);
  connection.wake();
  assert.equal(FakeWebSocket.sockets.length, 1);
  time.pass(1_000);
  assert.equal(FakeWebSocket.sockets.length, 2);
});

for (const [asked, added] of [[7_000, 7_000], [600_001, 600_000], [Infinity, 600_000], [-9_000, 0], [NaN, 0], [undefined, 0], [0, 0]]) {
  test(`a server that asks to wait ${asked} ms is heard, within reason, and asked again`, () => {
    const { time, FakeWebSocket, wait } = setUp({ random: () => 0 });
    FakeWebSocket.newest.onclose({ code: 1013, reason: "", retryMs: asked });
    assert.equal(wait(), 500 + added);
    time.pass(500 + added);
    assert.equal(FakeWebSocket.sockets.length, 2);
  });
}

test("after close code 1013 the first delay is drawn from a wider window", () => {
  const { FakeWebSocket, wait } = setUp({ random: () => 1 });
  FakeWebSocket.newest.drop(1013);
  assert.equal(wait(), 8500);
});

test("the window of a goodbye applies to one delay", () => {
  const { time, connection, FakeWebSocket, serve, wait } = setUp({ random: () => 0.5 });
  serve();
  connection.setReconnectWindow([4_000, 8_000]);
  FakeWebSocket.newest.drop(1012);
  assert.equal(wait(), 6_000);
  time.pass(6_000);
  assert.equal(FakeWebSocket.sockets.length, 2);
  FakeWebSocket.newest.drop();
  assert.equal(wait(), 500 + 0.5 * 1000);
});

test("a connection is lost SILENCE_TIMEOUT_MS after its last message", () => {
  const { time, connection, FakeWebSocket, serve } = setUp();
  serve(0);
  for (let beat = 0; beat < 5; beat += 1) {
    time.pass(SILENCE_TIMEOUT_MS - 1);
    FakeWebSocket.newest.receive("beat");
  }
  assert.equal(connection.status.phase, "open");
  time.pass(SILENCE_TIMEOUT_MS);
  assert.equal(connection.status.phase, "waiting");
  assert.equal(connection.status.reason, "nothing was heard");
});

test("events of an abandoned socket are ignored", () => {
  const { time, FakeWebSocket, received, serve } = setUp();
  serve(0);
  const old = FakeWebSocket.newest;
  time.pass(SILENCE_TIMEOUT_MS + 2_000);
  old.receive("from beyond");
  old.drop(4401);
  assert.deepEqual(received, ["hello"]);
  assert.equal(FakeWebSocket.sockets.length, 2);
  assert.equal(FakeWebSocket.newest.isClosed, false);
});

test("wake() ends a wait", () => {
  const { connection, FakeWebSocket, serve } = setUp();
  serve();
  FakeWebSocket.newest.drop();
  connection.wake();
  assert.equal(connection.status.phase, "connecting");
  assert.equal(FakeWebSocket.sockets.length, 2);
});

test("open() and wake() do not double a pending attempt", () => {
  const { time, connection, FakeWebSocket } = setUp();
  connection.wake();
  connection.open();
  time.pass(1_000);
  assert.equal(FakeWebSocket.sockets.length, 1);
});

test("wake() probes an open connection, which is lost without an answer within PROBE_TIMEOUT_MS", () => {
  const { time, connection, FakeWebSocket, serve, probes } = setUp();
  serve();
  connection.wake();
  assert.equal(probes(), 1);
  FakeWebSocket.newest.receive("pong");
  time.pass(PROBE_TIMEOUT_MS);
  assert.equal(connection.status.phase, "open");
  connection.wake();
  time.pass(PROBE_TIMEOUT_MS);
  assert.equal(connection.status.phase, "waiting");
});

test("wake() after a sleep longer than SILENCE_TIMEOUT_MS drops the connection at once", () => {
  const { time, connection, serve } = setUp();
  serve();
  time.sleep(3_600_000, { isMonotonicStill: false });
  connection.wake();
  assert.equal(connection.status.phase, "waiting");
});

test("wake() after a sleep that the monotonic clock did not measure probes", () => {
  const { time, connection, probes, serve } = setUp();
  serve();
  time.sleep(3_600_000, { isMonotonicStill: true });
  connection.wake();
  assert.equal(probes(), 1);
  time.pass(PROBE_TIMEOUT_MS);
  assert.equal(connection.status.phase, "waiting");
});

test("a dead connection is noticed in time, whatever is set, sleeps or stands still", () => {
  for (const change of [
    (time) => { time.now -= 3_600_000; },
    (time) => { time.now += 3_600_000; },
    (time) => time.sleep(3_600_000, { isMonotonicStill: true }),
    (time) => { time.monotonic = () => 5_000; },
  ]) {
    const { time, connection, FakeWebSocket, serve } = setUp();
    serve(0);
    time.pass(20_000);
    FakeWebSocket.newest.receive("beat");
    change(time);
    time.pass(20_000);
    FakeWebSocket.newest.receive("beat");
    time.pass(2 * SILENCE_TIMEOUT_MS);
    assert.notEqual(connection.status.phase, "open");
  }
});

test("the time to the next attempt does not change with the wall clock", () => {
  for (const step of [-3_600_000, 3_600_000]) {
    const { time, connection, FakeWebSocket } = setUp();
    FakeWebSocket.newest.drop();
    const before = connection.status.retryInMs;
    time.now += step;
    assert.equal(connection.status.retryInMs, before);
    assert.equal(connection.status.retryAt - time.now, before);
    time.pass(100);
    assert.equal(connection.status.retryInMs, before - 100);
  }
});

test("suspend() closes until wake(), also in a wait, and does nothing to a refused connection", () => {
  const { time, connection, FakeWebSocket, serve } = setUp();
  serve();
  connection.suspend("the page is hidden");
  assert.deepEqual([connection.status.phase, connection.status.reason, FakeWebSocket.newest.isClosed], ["suspended", "the page is hidden", true]);
  time.pass(3_600_000);
  assert.equal(FakeWebSocket.sockets.length, 1);
  connection.wake();
  assert.equal(FakeWebSocket.sockets.length, 2);
  FakeWebSocket.newest.drop();
  connection.suspend("");
  time.pass(3_600_000);
  assert.equal(FakeWebSocket.sockets.length, 2);
  connection.wake();
  FakeWebSocket.newest.drop(4403);
  connection.suspend("");
  assert.equal(connection.status.phase, "stopped");
});

test("a WebSocket class that throws is replaced by SSE in the same attempt", () => {
  const time = new ManualClock();
  const opened = [];
  const connection = new Connection({
    address: (transport) => `ws://x/${transport}`,
    onMessage() {},
    onStatus() {},
    WebSocket: class {
      constructor() {
        throw new DOMException("The operation is insecure.", "SecurityError");
      }
    },
    events: (address) => opened[opened.push({ address, close() {} }) - 1],
    ...time.surroundings,
  });
  connection.open();
  assert.deepEqual([opened[0].address, connection.status.transport, connection.status.phase], ["ws://x/events", "events", "connecting"]);
});

test("close() cancels the pending retry", () => {
  const { time, connection, FakeWebSocket, serve } = setUp();
  serve();
  FakeWebSocket.newest.drop();
  connection.close();
  time.pass(3_600_000);
  assert.equal(FakeWebSocket.sockets.length, 1);
  assert.equal(connection.status.phase, "idle");
});

test("send() queues nothing while the connection is not open", () => {
  const { connection, FakeWebSocket, serve } = setUp();
  assert.equal(connection.send('{"a":1}'), false);
  serve(0);
  assert.equal(connection.send('{"a":2}'), true);
  assert.deepEqual(FakeWebSocket.newest.sent, [{ a: 2 }]);
});

test("a close without a reason has a default reason", () => {
  const { connection, FakeWebSocket, serve } = setUp();
  FakeWebSocket.newest.drop();
  assert.equal(connection.status.reason, "no connection came about");
  connection.open();
  serve(0);
  FakeWebSocket.newest.drop();
  assert.equal(connection.status.reason, "the connection was lost");
  connection.open();
  FakeWebSocket.newest.drop(1012, "restarting");
  assert.equal(connection.status.reason, "restarting");
});

test("the message of a socket's error event is the reason of its own close only", () => {
  const { connection, FakeWebSocket } = setUp();
  const first = FakeWebSocket.newest;
  first.onerror({ message: "connect ECONNREFUSED 127.0.0.1:8080" });
  first.onclose({ code: 1006, reason: "" });
  assert.equal(connection.status.reason, "connect ECONNREFUSED 127.0.0.1:8080");
  connection.open();
  FakeWebSocket.newest.onclose({ code: 1006, reason: "" });
  assert.equal(connection.status.reason, "no connection came about");
});

test("a malformed address stops it with the reason", () => {
  const { connection, FakeWebSocket } = setUp({ address: () => "bad:address" });
  assert.equal(connection.status.phase, "stopped");
  assert.match(connection.status.reason, /malformed/);
  assert.equal(FakeWebSocket.sockets.length, 0);
});

test("every second attempt uses SSE if no WebSocket gets through", () => {
  const { tried, next } = blocked();
  for (let attempt = 0; attempt < 5; attempt += 1) next();
  assert.deepEqual(tried, ["websocket", "events", "websocket", "events", "websocket", "events"]);
});

test("every fourth attempt uses SSE if a WebSocket has worked before", () => {
  const { tried, next, serve } = blocked();
  serve();
  for (let attempt = 0; attempt < 8; attempt += 1) next();
  assert.deepEqual(tried.filter((transport) => transport === "events").length, 2);
  assert.equal(tried[3], "websocket");
});

test("a working SSE stream is kept, and a WebSocket is tried first after its loss", () => {
  const { tried, next, serve, connection, time } = blocked();
  next();
  serve();
  time.pass(3_600_000 / 200);
  assert.equal(connection.status.transport, "events");
  assert.equal(connection.send("x"), false);
  connection.wake();
  time.pass(6_000);
  assert.equal(connection.status.phase, "open", "no answer to a ping is expected");
  next();
  assert.deepEqual(tried, ["websocket", "events", "websocket"]);
});

/** A connection whose attempts fail, unless `serve` is called. */
function blocked() {
  const time = new ManualClock();
  const tried = [];
  let newest;
  const make = (transport) => {
    tried.push(transport);
    newest = { close() {}, send() {} };
    return newest;
  };
  const connection = new Connection({
    address: () => "ws://x/ws",
    onMessage() {},
    onStatus() {},
    WebSocket: function Fake() {
      return make("websocket");
    },
    events: () => make("events"),
    ...time.surroundings,
    random: () => 0.5,
  });
  connection.open();
  return {
    time,
    tried,
    connection,
    serve() {
      newest.onopen();
      newest.onmessage({ data: "x" });
    },
    next() {
      newest.onclose({ code: 1006, reason: "" });
      time.pass(connection.status.retryInMs);
    },
  };
}

/** A document of this origin exists while the test runs. */
function atOrigin(context, origin) {
  globalThis.location = { origin };
  context.after(() => delete globalThis.location);
}

function setUpWithEvents() {
  const streams = [];
  const events = (address) => streams.push({ address, close: () => {} }) && streams.at(-1);
  const address = (/** @type {string} */ transport) => `wss://host/ws?by=${transport}`;
  const FakeWebSocket = fakeWebSocket();
  const connection = new Connection({ address, events, WebSocket: FakeWebSocket, ...new ManualClock().surroundings, onMessage: () => {}, onStatus: () => {} });
  connection.open();
  return { connection, streams, FakeWebSocket };
}

test("the gateway's own page, whose WebSocket it does not allow, asks for events at once", (context) => {
  atOrigin(context, "https://host");
  const { connection, streams, FakeWebSocket } = setUpWithEvents();
  FakeWebSocket.newest.drop(4403, "the origin is not allowed");
  assert.deepEqual(streams.map(({ address }) => address), ["wss://host/ws?by=events"]);
  assert.equal(connection.status.phase, "connecting");
  streams[0].onclose({ code: 4403, reason: "the pillow is not allowed" });
  assert.deepEqual([connection.status.phase, connection.status.code, streams.length, FakeWebSocket.sockets.length], ["stopped", 4403, 1, 1]);
});

test("a page of another site, whose WebSocket is not allowed, is refused for good", (context) => {
  atOrigin(context, "https://other");
  const { connection, streams, FakeWebSocket } = setUpWithEvents();
  FakeWebSocket.newest.drop(4403, "the origin is not allowed");
  assert.deepEqual([connection.status.phase, streams.length], ["stopped", 0]);
});
