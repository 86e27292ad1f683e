import assert from "node:assert/strict";
import test from "node:test";

import { Pillowcast } from "../../services/gateway/src/gateway/static/client/pillowcast.js";
import { claimsOf, renewalDelay } from "../../services/gateway/src/gateway/static/client/tokens.js";
import { takeToken } from "../../services/gateway/src/gateway/static/page/share_link.js";
import { statusText } from "../../services/gateway/src/gateway/static/page/status.js";
import { fakeWebSocket, ManualClock } from "./fakes.js";
import { english } from "./english.js";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokenWith = (claims) => `${encode({ alg: "HS256" })}.${encode(claims)}.signature`;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const SNAPSHOT = { type: "snapshot", cursor: "a:1", recovered: false, broker: "online", sent: 0, pillows: [] };

function opened(options) {
  const time = new ManualClock();
  const WebSocket = fakeWebSocket();
  const client = new Pillowcast({ url: "https://host/", WebSocket, fetch: null, ...time.surroundings, random: () => 0.5, ...options }).open();
  return { client, time, WebSocket };
}

const tokensSent = (socket) => socket.sent.filter(({ type }) => type === "token").map(({ token }) => token);

test("a token is sent when the socket opens, and is not in the address", async () => {
  const { WebSocket, client } = opened({ token: "secret" });
  WebSocket.newest.onopen();
  await turn();
  assert.deepEqual(tokensSent(WebSocket.newest), ["secret"]);
  assert.ok(!WebSocket.newest.url.includes("secret"));
  client.close();
});

test("without a token none is sent", async () => {
  const { WebSocket, client } = opened({});
  WebSocket.newest.onopen();
  await turn();
  assert.deepEqual(tokensSent(WebSocket.newest), []);
  client.close();
});

test("a function is called for each connection, and again before the token expires", async () => {
  let calls = 0;
  const { WebSocket, client, time } = opened({ token: async () => tokenWith({ exp: time.now / 1000 + 100, n: (calls += 1) }) });
  WebSocket.newest.onopen();
  await turn();
  assert.equal(calls, 1);
  time.pass(19_000);
  WebSocket.newest.onmessage({ data: JSON.stringify(SNAPSHOT) });
  for (let heard = 0; heard < 4; heard += 1) {
    time.pass(16_000);
    WebSocket.newest.onmessage({ data: JSON.stringify({ type: "heartbeat", sent: 0 }) });
    await turn();
  }
  assert.equal(calls, 2);
  assert.equal(tokensSent(WebSocket.newest).length, 2);
  client.close();
  const running = time.running;
  time.pass(1_000_000);
  await turn();
  assert.equal(calls, 2, `timers left: ${running}`);
});

test("an expired token is no refusal where another can be had, and one for a text", async () => {
  for (const [token, phase] of [[() => "one", "waiting"], ["one", "stopped"]]) {
    const { WebSocket, client } = opened({ token });
    WebSocket.newest.onopen();
    await turn();
    WebSocket.newest.onmessage({ data: JSON.stringify(SNAPSHOT) });
    WebSocket.newest.onclose({ code: 4401, reason: "" });
    assert.equal(client.status.phase, phase);
    client.close();
  }
});

test("a token that was never accepted stops the client", async () => {
  const { WebSocket, client } = opened({ token: () => "one" });
  WebSocket.newest.onopen();
  await turn();
  WebSocket.newest.onclose({ code: 4401, reason: "" });
  assert.equal(client.status.phase, "stopped");
  client.close();
});

test("a function that fails is an outage with its reason", async () => {
  const { WebSocket, client } = opened({
    token: () => {
      throw new Error("the server is away");
    },
  });
  WebSocket.newest.onopen();
  await turn();
  assert.equal(client.status.phase, "waiting");
  assert.match(client.status.reason, /the server is away/);
  client.close();
});

test("a token of another type is an error at once", () => {
  assert.throws(() => new Pillowcast({ url: "https://host/", token: 3 }), /token is number/);
});

test("over events the token is in a header", async () => {
  const requests = [];
  const request = async (url, options) => {
    requests.push([url, options.headers]);
    return new Response("", { status: 503 });
  };
  const client = new Pillowcast({ url: "https://host/", token: "secret", WebSocket: null, fetch: request }).open();
  await turn();
  assert.equal(requests[0][1].Authorization, "Bearer secret");
  assert.ok(!requests[0][0].includes("secret"));
  client.close();
});

test("the delay of a renewal", () => {
  assert.equal(renewalDelay(tokenWith({ exp: 100 }), 0), 80_000);
  assert.equal(renewalDelay(tokenWith({ exp: 0 }), 50_000), 1_000);
  for (const token of ["", "a.b.c", tokenWith({}), tokenWith({ exp: "1" }), tokenWith(null)]) assert.equal(renewalDelay(token, 0), null);
  assert.deepEqual(claimsOf(tokenWith({ pillows: ["cloud-1"] })), { pillows: ["cloud-1"] });
});

test("the page takes the token out of the address and keeps it for this tab", () => {
  const stored = new Map();
  const storage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) };
  const shown = [];
  const history = { replaceState: (_state, _title, url) => shown.push(url) };
  const one = tokenWith({ pillows: ["cloud-1"] });
  assert.equal(takeToken({ hash: `#token=${one}`, pathname: "/a/", search: "?x=1" }, history, storage), one);
  assert.equal(takeToken({ hash: "", pathname: "/a/", search: "" }, history, storage), one);
  const several = tokenWith({ pillows: ["ward-*"] });
  assert.equal(takeToken({ hash: `#token=${several}`, pathname: "/a/", search: "" }, history, null), several);
  assert.deepEqual(shown, ["/a/?x=1#cloud-1", "/a/"]);
  assert.equal(takeToken({ hash: "#cloud-1", pathname: "/", search: "" }, history, null), "");
});

test("a gateway that needs another token is told as private", () => {
  const status = { phase: "stopped", retryInMs: null, code: 4401, reason: "the token expired 5 s ago" };
  const text = statusText({ connection: "disconnected", lastingMs: 0, status, count: 0, isRetained: true }, english);
  assert.equal(text.title, "Private");
  assert.match(text.detail, /expired/);
});
