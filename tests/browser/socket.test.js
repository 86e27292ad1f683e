/** The socket that was opened early, in the place of the first that is asked for. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { beginningWith } from "../../services/gateway/src/gateway/static/page/socket.js";

class Own {
  constructor(address, protocols) {
    Object.assign(this, { address, protocols, readyState: 0, closed: false });
  }

  close() {
    this.closed = true;
  }
}

const early = (readyState, heard = []) => {
  const socket = new Own("ws://here/ws", []);
  socket.readyState = readyState;
  return { address: "ws://here/ws", socket, heard };
};

test("the first socket is the early one, with what it heard; the second is none of it", async () => {
  const first = early(1, [{ data: "one" }, { data: "two" }]);
  const Socket = beginningWith(Own, first);
  const socket = new Socket("ws://here/ws", ["p"]);
  assert.equal(socket, first.socket);
  const heard = [];
  socket.onopen = () => heard.push("open");
  socket.onmessage = ({ data }) => heard.push(data);
  await Promise.resolve();
  assert.deepEqual(heard, ["open", "one", "two"]);
  const second = new Socket("ws://here/ws", ["p"]);
  assert.deepEqual([second === socket, second.protocols], [false, ["p"]]);
});

test("one that is still on its way says itself when it is open", async () => {
  const first = early(0);
  const socket = new (beginningWith(Own, first))("ws://here/ws", []);
  assert.equal(socket, first.socket);
  socket.onopen = () => assert.fail("not open yet");
  await Promise.resolve();
});

test("one to another address, one that has ended, and none at all make way", () => {
  for (const [first, address] of [[early(1), "ws://here/ws?pillow=a"], [early(3), "ws://here/ws"], [early(undefined), "ws://here/ws"]]) {
    const socket = new (beginningWith(Own, first))(address, ["p"]);
    assert.notEqual(socket, first.socket);
    assert.deepEqual([socket.address, first.socket.closed], [address, true]);
  }
  assert.equal(new (beginningWith(Own, undefined))("ws://here/ws", []).address, "ws://here/ws");
});
