import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Connection,
  CONNECT_TIMEOUT_MS,
  PROBE_MS,
  SILENCE_MS,
  STABLE_AFTER_MS,
  TOO_MANY_MS,
} from "../../services/gateway/src/gateway/static/client/connection.js";
import { fakeWebSocket, ManualClock, seeded } from "./fakes.js";

function setUp({ random = () => 0.5, address = () => "ws://host/ws" } = {}) {
  const time = new ManualClock();
  const FakeWebSocket = fakeWebSocket();
  const heard = [];
  const phases = [];
  let probes = 0;
  const connection = new Connection({
    address,
    random,
    WebSocket: FakeWebSocket,
    clock: time.clock,
    timers: time.timers,
    onText: (text) => heard.push(text),
    onStatus: ({ phase }) => phases.push(phase),
    onProbe: () => (probes += 1),
  });
  connection.open();
  const serve = (ms = STABLE_AFTER_MS) => {
    FakeWebSocket.newest.accept();
    FakeWebSocket.newest.say("hello");
    time.pass(ms);
  };
  const wait = () => connection.status.retryAt - time.now;
  return { time, connection, heard, phases, serve, wait, FakeWebSocket, probes: () => probes };
}

test("it opens with the subprotocol and hands on what it hears", () => {
  const { FakeWebSocket, heard, phases, serve } = setUp();
  assert.deepEqual(FakeWebSocket.newest.protocols, ["pillowcast.v1"]);
  serve(0);
  assert.deepEqual(heard, ["hello"]);
  assert.deepEqual(phases, ["connecting", "open"]);
});

test("an attempt without an answer is given up after the connect timeout", () => {
  const { time, connection, FakeWebSocket } = setUp();
  const first = FakeWebSocket.newest;
  time.pass(CONNECT_TIMEOUT_MS - 1);
  assert.equal(connection.status.phase, "connecting");
  time.pass(1);
  assert.equal(connection.status.phase, "waiting");
  assert.ok(first.isClosed);
});

test("after a loss it waits and tries again, each time in a wider window", () => {
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

test("each wait draws its own chance", () => {
  const { time, FakeWebSocket, wait } = setUp({ random: seeded(7) });
  const waits = new Set();
  for (let failure = 0; failure < 20; failure += 1) {
    FakeWebSocket.newest.drop();
    waits.add(wait());
    time.pass(wait());
  }
  assert.equal(waits.size, 20);
});

test("a gateway that accepts and drops is not hammered", () => {
  const { time, FakeWebSocket, serve, wait } = setUp({ random: () => 1 });
  for (const expected of [1000, 1500, 2500]) {
    serve(STABLE_AFTER_MS - 1);
    FakeWebSocket.newest.drop();
    assert.equal(wait(), expected);
    time.pass(expected);
  }
});

test("the count of failures starts again only after stable service", () => {
  const { time, FakeWebSocket, serve, wait } = setUp({ random: () => 1 });
  for (let failure = 0; failure < 3; failure += 1) {
    FakeWebSocket.newest.drop();
    time.pass(wait());
  }
  serve(STABLE_AFTER_MS);
  FakeWebSocket.newest.drop();
  assert.equal(wait(), 1000);
});

test("an open connection that says nothing is no stable service", () => {
  const { time, FakeWebSocket, wait } = setUp({ random: () => 1 });
  FakeWebSocket.newest.drop();
  time.pass(wait());
  FakeWebSocket.newest.accept();
  time.pass(STABLE_AFTER_MS * 2);
  FakeWebSocket.newest.drop();
  assert.equal(wait(), 1500);
});

for (const code of [4400, 4401, 4403, 4408]) {
  test(`close code ${code} ends it until someone opens it again`, () => {
    const { time, connection, FakeWebSocket, serve } = setUp();
    serve();
    FakeWebSocket.newest.drop(code, "no");
    assert.deepEqual(connection.status, { phase: "stopped", transport: "websocket", retryAt: null, code, reason: "no" });
    time.pass(3_600_000);
    connection.hurry();
    assert.equal(FakeWebSocket.sockets.length, 1);
    connection.open();
    assert.equal(FakeWebSocket.sockets.length, 2);
  });
}

for (const code of [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 4000, 4499]) {
  test(`close code ${code} is followed by another attempt`, () => {
    const { time, FakeWebSocket, serve } = setUp();
    serve();
    FakeWebSocket.newest.drop(code);
    time.pass(5_000);
    assert.equal(FakeWebSocket.sockets.length, 2);
  });
}

test("after 'too many' it stays away for half a minute at least, whoever hurries", () => {
  const { time, connection, FakeWebSocket, wait } = setUp({ random: () => 0 });
  FakeWebSocket.newest.drop(4429);
  assert.ok(wait() >= TOO_MANY_MS);
  time.pass(TOO_MANY_MS - 1);
  connection.hurry();
  assert.equal(FakeWebSocket.sockets.length, 1);
  time.pass(1_000);
  assert.equal(FakeWebSocket.sockets.length, 2);
});

test("a full gateway's refused visitors come back over a wide window", () => {
  const { FakeWebSocket, wait } = setUp({ random: () => 1 });
  FakeWebSocket.newest.drop(1013);
  assert.equal(wait(), 8500);
});

test("a goodbye's window decides the wait, once", () => {
  const { time, connection, FakeWebSocket, serve, wait } = setUp({ random: () => 0.5 });
  serve();
  connection.expectGoodbye([4_000, 8_000]);
  FakeWebSocket.newest.drop(1012);
  assert.equal(wait(), 6_000);
  time.pass(6_000);
  assert.equal(FakeWebSocket.sockets.length, 2);
  FakeWebSocket.newest.drop();
  assert.equal(wait(), 500 + 0.5 * 1000);
});

test("a connection on which nothing arrives is dead; anything at all keeps it alive", () => {
  const { time, connection, FakeWebSocket, serve } = setUp();
  serve(0);
  for (let beat = 0; beat < 5; beat += 1) {
    time.pass(SILENCE_MS - 1);
    FakeWebSocket.newest.say("beat");
  }
  assert.equal(connection.status.phase, "open");
  time.pass(SILENCE_MS);
  assert.equal(connection.status.phase, "waiting");
  assert.equal(connection.status.reason, "nothing was heard");
});

test("what an abandoned socket still says is not heard", () => {
  const { time, FakeWebSocket, heard, serve } = setUp();
  serve(0);
  const old = FakeWebSocket.newest;
  time.pass(SILENCE_MS + 2_000);
  old.say("from beyond");
  old.drop(4401);
  assert.deepEqual(heard, ["hello"]);
  assert.equal(FakeWebSocket.sockets.length, 2);
  assert.equal(FakeWebSocket.newest.isClosed, false);
});

test("who hurries does not sit out a wait", () => {
  const { connection, FakeWebSocket, serve } = setUp();
  serve();
  FakeWebSocket.newest.drop();
  connection.hurry();
  assert.equal(connection.status.phase, "connecting");
  assert.equal(FakeWebSocket.sockets.length, 2);
});

test("an attempt on its way is not doubled", () => {
  const { time, connection, FakeWebSocket } = setUp();
  connection.hurry();
  connection.open();
  time.pass(1_000);
  assert.equal(FakeWebSocket.sockets.length, 1);
});

test("who hurries on an open connection has it answer soon or be given up", () => {
  const { time, connection, FakeWebSocket, serve, probes } = setUp();
  serve();
  connection.hurry();
  assert.equal(probes(), 1);
  FakeWebSocket.newest.say("pong");
  time.pass(PROBE_MS);
  assert.equal(connection.status.phase, "open");
  connection.hurry();
  time.pass(PROBE_MS);
  assert.equal(connection.status.phase, "waiting");
});

test("after a sleep longer than silence allows, who hurries opens anew", () => {
  const { time, connection, serve } = setUp();
  serve();
  time.now += 3_600_000;
  connection.hurry();
  assert.equal(connection.status.phase, "waiting");
});

test("closed is closed: no timer is left to open it", () => {
  const { time, connection, FakeWebSocket, serve } = setUp();
  serve();
  FakeWebSocket.newest.drop();
  connection.close();
  time.pass(3_600_000);
  assert.equal(FakeWebSocket.sockets.length, 1);
  assert.equal(connection.status.phase, "idle");
});

test("nothing is queued up: what cannot be sent now is not sent", () => {
  const { connection, FakeWebSocket, serve } = setUp();
  assert.equal(connection.send('{"a":1}'), false);
  serve(0);
  assert.equal(connection.send('{"a":2}'), true);
  assert.deepEqual(FakeWebSocket.newest.sent, [{ a: 2 }]);
});

test("a connection that ends without a word is told of in words all the same", () => {
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

test("what a socket says of its trouble is the reason, as in Node.js, and of its own end only", () => {
  const { connection, FakeWebSocket } = setUp();
  const first = FakeWebSocket.newest;
  first.onerror({ message: "connect ECONNREFUSED 127.0.0.1:8080" });
  first.onclose({ code: 1006, reason: "" });
  assert.equal(connection.status.reason, "connect ECONNREFUSED 127.0.0.1:8080");
  connection.open();
  FakeWebSocket.newest.onclose({ code: 1006, reason: "" });
  assert.equal(connection.status.reason, "no connection came about");
});

test("an address that cannot be opened at all ends it with the reason", () => {
  const { connection, FakeWebSocket } = setUp({ address: () => "bad:address" });
  assert.equal(connection.status.phase, "stopped");
  assert.match(connection.status.reason, /malformed/);
  assert.equal(FakeWebSocket.sockets.length, 0);
});

test("where no WebSocket gets through, every second attempt goes by events", () => {
  const { tried, next } = blocked();
  for (let attempt = 0; attempt < 5; attempt += 1) next();
  assert.deepEqual(tried, ["websocket", "events", "websocket", "events", "websocket", "events"]);
});

test("where a WebSocket has worked before, only every fourth does", () => {
  const { tried, next, serve } = blocked();
  serve();
  for (let attempt = 0; attempt < 8; attempt += 1) next();
  assert.deepEqual(tried.filter((way) => way === "events").length, 2);
  assert.equal(tried[3], "websocket");
});

test("events that work are kept, and a WebSocket is tried first when they are lost", () => {
  const { tried, next, serve, connection, time } = blocked();
  next();
  serve();
  time.pass(3_600_000 / 200);
  assert.equal(connection.status.transport, "events");
  assert.equal(connection.send("x"), false);
  connection.hurry();
  time.pass(6_000);
  assert.equal(connection.status.phase, "open", "no answer to a ping is expected");
  next();
  assert.deepEqual(tried, ["websocket", "events", "websocket"]);
});

/** A connection whose every attempt fails, unless it is served. */
function blocked() {
  const time = new ManualClock();
  const tried = [];
  let newest;
  const make = (way) => {
    tried.push(way);
    newest = { close() {}, send() {} };
    return newest;
  };
  const connection = new Connection({
    address: () => "ws://x/ws",
    onText() {},
    onStatus() {},
    WebSocket: function Fake() {
      return make("websocket");
    },
    events: () => make("events"),
    clock: time.clock,
    timers: time.timers,
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
      time.pass(connection.status.retryAt - time.now);
    },
  };
}
