/** The preconnected socket is the first one that the client creates. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { adoptFirst } from "../../services/gateway/src/gateway/static/page/adopt_socket.js";

class Own {
  constructor(url, protocols) {
    Object.assign(this, { url, protocols, readyState: 0, closed: false });
  }

  close() {
    this.closed = true;
  }
}

const preconnection = (readyState, received = []) => {
  const socket = new Own("ws://here/ws", []);
  socket.readyState = readyState;
  return { url: "ws://here/ws", socket, received };
};

test("the first socket is the preconnected one with its messages; the second is a new one", async () => {
  const first = preconnection(1, [{ data: "one" }, { data: "two" }]);
  const Socket = adoptFirst(Own, first);
  const socket = new Socket("ws://here/ws", ["p"]);
  assert.equal(socket, first.socket);
  const received = [];
  socket.onopen = () => received.push("open");
  socket.onmessage = ({ data }) => received.push(data);
  await Promise.resolve();
  assert.deepEqual(received, ["open", "one", "two"]);
  const second = new Socket("ws://here/ws", ["p"]);
  assert.deepEqual([second === socket, second.protocols], [false, ["p"]]);
});

test("a socket that is still connecting fires its own open event", async () => {
  const first = preconnection(0);
  const socket = new (adoptFirst(Own, first))("ws://here/ws", []);
  assert.equal(socket, first.socket);
  socket.onopen = () => assert.fail("not open yet");
  await Promise.resolve();
});

test("a preconnected socket with another URL, or a closed one, is replaced by a new one", () => {
  for (const [first, url] of [[preconnection(1), "ws://here/ws?pillow=a"], [preconnection(3), "ws://here/ws"], [preconnection(undefined), "ws://here/ws"]]) {
    const socket = new (adoptFirst(Own, first))(url, ["p"]);
    assert.notEqual(socket, first.socket);
    assert.deepEqual([socket.url, first.socket.closed], [url, true]);
  }
  assert.equal(new (adoptFirst(Own, undefined))("ws://here/ws", []).url, "ws://here/ws");
});
