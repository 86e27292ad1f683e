/** The service worker and its registration: what is kept, what is shown, and that nothing else is touched. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

import { ExtrasLater } from "../../services/gateway/src/gateway/static/page/extras_later.js";
import { registerWorker } from "../../services/gateway/src/gateway/static/page/offline_page.js";

const SOURCE = readFileSync(new URL("../../services/gateway/src/gateway/static/sw.js", import.meta.url), "utf8");
const SCOPE = "https://clouds.example/pillows/";

/** Runs the worker in a world of its own: caches, and a network that the test switches off. */
class World {
  caches = new Map();
  network = true;
  /** What the network waits for before it answers. */
  link = Promise.resolve();
  timers = [];
  status = 200;
  fetched = [];
  isRegistered = true;
  #listeners = new Map();

  run(version) {
    const { caches: kept } = this;
    const cacheOf = (name) => {
      if (!kept.has(name)) kept.set(name, new Map());
      const entries = kept.get(name);
      return {
        put: async (url, response) => entries.set(url, response),
        match: async (url) => entries.get(url)?.clone(),
      };
    };
    this.#listeners.clear();
    const self = {
      registration: { scope: SCOPE, unregister: async () => (this.isRegistered = false), navigationPreload: { enable: async () => {} } },
      navigator: { userAgent: "Mozilla/5.0 Chrome/156.0.0.0 Safari/537.36" },
      skipWaiting: () => {},
      addEventListener: (type, listener) => this.#listeners.set(type, listener),
    };
    runInNewContext(SOURCE.replace('VERSION = "0"', `VERSION = "${version}"`), {
      self,
      URL,
      Request,
      Response,
      setTimeout: (callback, ms) => this.timers.push({ callback, ms }),
      fetch: (request) => this.#fetch(request),
      caches: { open: async (name) => cacheOf(name), keys: async () => [...kept.keys()], delete: async (name) => kept.delete(name) },
    });
    return this;
  }

  async start(version) {
    this.run(version);
    await this.fire("install");
    await this.fire("activate");
    return this;
  }

  async fire(type, data) {
    let done;
    this.#listeners.get(type)({ data, waitUntil: (promise) => (done = promise) });
    await done;
  }

  /** The text of the worker's response; undefined if it leaves the request alone. */
  async request(url, { mode = "navigate", method = "GET" } = {}) {
    let response;
    const request = { url, mode, method };
    this.#listeners.get("fetch")({ request, preloadResponse: Promise.resolve(undefined), respondWith: (given) => (response = given) });
    return response === undefined ? undefined : (await response).text();
  }

  async #fetch({ url }) {
    this.fetched.push(url);
    await this.link;
    if (!this.network) throw new TypeError("no network");
    const language = new URL(url).searchParams.get("lang") ?? "en";
    return new Response(`live ${this.fetched.length}`, { status: this.status, headers: { "Content-Language": language } });
  }
}

test("without a network the page that was kept is shown, for every query", async () => {
  const world = await new World().start("one");
  world.network = false;
  assert.equal(await world.request(SCOPE), "live 1");
  const again = await new World().start("one");
  again.network = false;
  assert.equal(await again.request(`${SCOPE}?pillow=cloud-1`), "live 1");
});

test("with a network the gateway's own response is shown", async () => {
  const world = await new World().start("one");
  assert.equal(await world.request(SCOPE), "live 2");
  world.status = 403;
  assert.equal(await world.request(SCOPE), "live 3");
});

test("while a proxy says that the gateway is away, the page is shown, which waits for it", async () => {
  for (const status of [502, 503, 504]) {
    const world = await new World().start("one");
    world.status = status;
    assert.equal(await world.request(SCOPE), "live 1");
  }
});

test("where the gateway does not answer in time the page that was kept is shown; without one it is waited for", async () => {
  const world = await new World().start("one");
  let answer;
  world.link = new Promise((resolve) => (answer = resolve));
  const shown = world.request(SCOPE);
  assert.deepEqual(world.timers.map(({ ms }) => ms), [5000]);
  world.timers.pop().callback();
  assert.equal(await shown, "live 1");

  world.caches.clear();
  const late = world.request(SCOPE);
  world.timers.pop().callback();
  answer();
  assert.equal(await late, "live 3");
});

test("only the page is kept, and nothing else is touched", async () => {
  const world = await new World().start("one");
  assert.deepEqual(world.fetched, [SCOPE]);
  for (const path of ["api/pillows", "events", "embed.js", "badge/cloud-1.svg", "assets/0/style.css"]) {
    assert.equal(await world.request(SCOPE + path), undefined, path);
    assert.equal(await world.request(SCOPE + path, { mode: "cors" }), undefined, path);
  }
  assert.equal(await world.request(SCOPE, { mode: "cors" }), undefined);
  assert.equal(await world.request(SCOPE, { method: "POST" }), undefined);
  assert.equal(await world.request("https://clouds.example/"), undefined);
  assert.deepEqual(world.fetched, [SCOPE]);
});

test("a new version keeps its own page, and leaves those of other gateways alone", async () => {
  const world = new World();
  world.caches.set("pillowcast https://clouds.example/ old", new Map());
  await world.start("one");
  await world.start("two");
  assert.deepEqual([...world.caches.keys()], ["pillowcast https://clouds.example/ old", `pillowcast ${SCOPE} two`]);
  world.network = false;
  assert.equal(await world.request(SCOPE), "live 2");
});

test("the page is kept in the language in which it was opened last, also by the next version", async () => {
  const world = await new World().start("one");
  await world.fire("message", { language: "en" });
  assert.deepEqual(world.fetched, [SCOPE], "it is kept so already");
  await world.fire("message", { language: "de" });
  assert.deepEqual(world.fetched.slice(1), [`${SCOPE}?lang=de`]);
  world.network = false;
  await world.fire("message", { language: "fr" });
  assert.equal(await world.request(SCOPE), "live 2", "without a network what was kept stays");
  world.network = true;
  for (const language of ["../evil", "", undefined, 7]) await world.fire("message", { language });
  await world.fire("message");
  await world.start("two");
  assert.equal(world.fetched.at(-1), `${SCOPE}?lang=de`);
});

test("a page that the gateway refuses is not kept", async () => {
  const world = new World();
  world.status = 403;
  world.run("one");
  await assert.rejects(world.fire("install"), /status 403/);
  assert.deepEqual([...world.caches.values()].flatMap((entries) => [...entries]), []);
});

test("a worker without a version removes what was kept, and itself", async () => {
  const world = await new World().start("one");
  await world.start("");
  assert.deepEqual([...world.caches.keys()], []);
  assert.equal(world.isRegistered, false);
  assert.equal(await world.request(SCOPE), undefined);
});

/** A window that registers workers. */
function windowWith({ serviceWorker, trustedTypes, dataset = {} }) {
  const window = { document: { body: { dataset } }, navigator: { serviceWorker }, trustedTypes };
  window.top = window;
  return window;
}

test("the worker is registered for the gateway's folder, by the one policy of the page", async () => {
  const registered = [];
  const serviceWorker = { register: async (...given) => registered.push(given) };
  const trustedTypes = { createPolicy: (name, { createScriptURL }) => ({ createScriptURL: () => ({ name, url: createScriptURL() }) }) };
  const said = [];
  const active = { postMessage: (message) => said.push(message) };
  await registerWorker(windowWith({ serviceWorker: { ...serviceWorker, ready: Promise.resolve({ active }) } }), new URL(SCOPE), "ja");
  assert.deepEqual(said, [{ language: "ja" }]);
  await registerWorker(windowWith({ serviceWorker, trustedTypes }), new URL(SCOPE));
  assert.deepEqual(registered, [
    [`${SCOPE}sw.js`, { scope: SCOPE }],
    [{ name: "pillowcast-worker", url: `${SCOPE}sw.js` }, { scope: SCOPE }],
  ]);
});

test("without a service worker all is as without: no TLS, forbidden, switched off, in a frame", async () => {
  const never = { register: () => assert.fail("registered") };
  const forbidden = { register: async () => Promise.reject(new Error("forbidden")) };
  const framed = windowWith({ serviceWorker: never });
  framed.top = {};
  for (const window of [
    windowWith({}),
    windowWith({ serviceWorker: forbidden }),
    windowWith({ serviceWorker: never, dataset: { offline: "no" } }),
    framed,
  ]) {
    assert.equal(await registerWorker(window, new URL(SCOPE)), null);
  }
});

test("the tools are loaded once the page is live, and again after a failure", async (context) => {
  context.mock.method(console, "warn", () => {});
  const outcomes = [Promise.reject(new Error("no network")), Promise.resolve()];
  let loads = 0;
  const idle = [];
  const extras = new ExtrasLater({ requestIdleCallback: (callback) => idle.push(callback) }, () => outcomes[loads++]);
  extras.onConnection({ connection: "disconnected" });
  assert.equal(idle.length, 0);
  extras.onConnection({ connection: "live" });
  extras.onConnection({ connection: "live" });
  assert.equal(idle.length, 1);
  await idle.pop()();
  extras.onConnection({ connection: "live" });
  await idle.pop()();
  extras.onConnection({ connection: "live" });
  assert.equal(loads, 2);
  assert.equal(idle.length, 0);
});
