import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_QUEUED, UpdateIterator } from "../../services/gateway/src/gateway/static/client/update_iterator.js";

const update = (id, n, previous) => ({ id, pillow: { pillow: id, n }, previous });
const read = async (updates) => (await updates.next()).value?.pillow.n;

test("a reader that keeps up receives every update", async () => {
  const updates = new UpdateIterator();
  updates.push(update("a", 1));
  updates.push(update("a", 2));
  assert.equal(await read(updates), 1);
  assert.equal(await read(updates), 2);
  const waiting = read(updates);
  updates.push(update("a", 3));
  assert.equal(await waiting, 3);
});

test("above MAX_QUEUED only the newest update of each pillow is kept", async () => {
  const updates = new UpdateIterator();
  const last = 10 * MAX_QUEUED;
  for (let n = 0; n <= last; n += 1) updates.push(update(`p${n % 7}`, n, n < 7 ? undefined : { n: n - 7 }));
  updates.end();
  const seen = [];
  for await (const { id, pillow, previous } of updates) seen.push([id, pillow.n, previous?.n]);
  assert.ok(seen.length <= MAX_QUEUED);
  const newest = new Map(seen.map(([id, n]) => [id, n]));
  for (let n = last - 6; n <= last; n += 1) assert.equal(newest.get(`p${n % 7}`), n);
  // `previous` is the state that this reader received before.
  const before = new Map();
  for (const [id, n, previous] of seen) {
    assert.equal(previous, before.get(id));
    before.set(id, n);
  }
});

test("end() takes effect once, after the queued updates, for all pending reads", async () => {
  const ended = [];
  const updates = new UpdateIterator((one) => ended.push(one));
  updates.push(update("a", 1));
  updates.end();
  updates.end();
  updates.push(update("a", 2));
  assert.deepEqual(ended, [updates]);
  assert.equal(await read(updates), 1);
  assert.deepEqual(await updates.next(), { value: undefined, done: true });
  const other = new UpdateIterator();
  const waiting = [other.next(), other.next()];
  other.end();
  assert.deepEqual((await Promise.all(waiting)).map(({ done }) => done), [true, true]);
});

test("an error is thrown once", async () => {
  const waiting = new UpdateIterator();
  const next = waiting.next();
  waiting.end(new Error("refused"));
  await assert.rejects(next, /refused/);
  assert.equal((await waiting.next()).done, true);
  const later = new UpdateIterator();
  later.end(new Error("refused"));
  await assert.rejects(later.next(), /refused/);
  assert.equal((await later.next()).done, true);
});

test("leaving a loop calls onEnd", async () => {
  const ended = [];
  const updates = new UpdateIterator(() => ended.push("ended"));
  updates.push(update("a", 1));
  for await (const _ of updates) break;
  assert.deepEqual(ended, ["ended"]);
});
