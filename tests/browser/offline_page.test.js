/** The service worker and its registration: what is kept, what is shown, and that nothing else is touched. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

import { ExtrasLater } from "../../services/gateway/src/gateway/static/page/extras_later.js";
import { registerWorker } from "../../services/gateway/src/gateway/static/page/offline_page.js";

const SOURCE = readFileSync(new URL("../../services/gateway/src/gateway/static/sw.js", import.meta.url), "utf8");
const SCOPE = "https://clouds.example/pillows/";

const END = "</html>";
const ONE = "assets/00000000001a/";
const TWO = "assets/00000000002b/";

/** Runs the worker in a world of its own: caches, a gateway, and a network that the test switches off. */
class World {
  caches = new Map();
  network = true;
  /** What the network waits for before it answers. */
  link = Promise.resolve();
  timers = [];
  status = 200;
  /** The release of the gateway. */
  version = ONE;
  /** How the page ends; one that was cut ends otherwise. */
  end = END;
  isDiskFull = false;
  /** Errors of the browser's own storage. */
  isDamaged = false;
  canDelete = true;
  fetched = [];
  /** What the worker does behind its last response. */
  after = Promise.resolve();
  isRegistered = true;
  #listeners = new Map();

  run({ isKept = true } = {}) {
    const { caches: kept } = this;
    const cacheOf = (name) => {
      if (!kept.has(name)) kept.set(name, new Map());
      const entries = kept.get(name);
      return {
        put: async (url, response) => {
          if (this.isDiskFull) throw new Error("QuotaExceededError");
          entries.set(url, response);
        },
      };
    };
    this.#listeners.clear();
    const self = {
      registration: { scope: SCOPE, unregister: async () => (this.isRegistered = false), navigationPreload: { enable: async () => {} } },
      navigator: { userAgent: "Mozilla/5.0 Chrome/156.0.0.0 Safari/537.36" },
      skipWaiting: () => {},
      addEventListener: (type, listener) => this.#listeners.set(type, listener),
    };
    runInNewContext(SOURCE.replace("IS_KEPT = true", `IS_KEPT = ${isKept}`), {
      self,
      URL,
      Request,
      Response,
      AbortSignal,
      setTimeout: (callback, ms) => this.timers.push({ callback, ms }),
      fetch: (request) => this.#fetch(request),
      caches: {
        open: async (name) => cacheOf(name),
        keys: async () => {
          if (this.isDamaged) throw new Error("UnknownError");
          return [...kept.keys()];
        },
        match: async (url, { cacheName }) => kept.get(cacheName)?.get(url)?.clone(),
        delete: async (name) => {
          if (!this.canDelete) throw new Error("UnknownError");
          return kept.delete(name);
        },
      },
    });
    return this;
  }

  /** Install the worker. */
  async start(given) {
    this.run(given);
    await this.fire("install");
    await this.fire("activate");
    return this;
  }

  /** A page of the gateway is opened, which says so. */
  async open(language = "en") {
    await this.fire("message", { version: this.version, language });
    return this;
  }

  async fire(type, data) {
    let done;
    this.#listeners.get(type)({ data, waitUntil: (promise) => (done = promise) });
    await done;
  }

  /** The text of the worker's response without its end; undefined if it leaves the request alone. */
  async request(url, { mode = "navigate", method = "GET" } = {}) {
    let response;
    const request = { url, mode, method };
    this.#listeners.get("fetch")({ request, preloadResponse: Promise.resolve(undefined), respondWith: (given) => (response = given), waitUntil: (given) => (this.after = given) });
    return response === undefined ? undefined : (await (await response).text()).replace(END, "");
  }

  async #fetch({ url }) {
    this.fetched.push(url);
    await this.link;
    if (!this.network) throw new TypeError("no network");
    const language = new URL(url).searchParams.get("lang") ?? "en";
    return new Response(`${this.version} ${this.fetched.length}${this.end}`, { status: this.status, headers: { "Content-Language": language } });
  }
}

test("without a network the page that was kept is shown, for every query, also by a worker that started anew", async () => {
  const world = await (await new World().start()).open();
  world.network = false;
  assert.equal(await world.request(SCOPE), `${ONE} 1`);
  assert.equal(await world.run().request(`${SCOPE}?pillow=cloud-1`), `${ONE} 1`);
});

test("a page that arrives incomplete is not kept, and what was kept stays", async () => {
  const world = await (await new World().start()).open();
  world.version = TWO;
  world.end = "";
  await world.open();
  world.network = false;
  assert.equal(await world.request(SCOPE), `${ONE} 1`);
});

test("with a network the gateway's own response is shown", async () => {
  const world = await (await new World().start()).open();
  assert.equal(await world.request(SCOPE), `${ONE} 2`);
  world.status = 403;
  assert.equal(await world.request(SCOPE), `${ONE} 3`);
});

test("while a proxy says that the gateway is away, the page is shown, which waits for it", async () => {
  for (const status of [502, 503, 504]) {
    const world = await (await new World().start()).open();
    world.status = status;
    assert.equal(await world.request(SCOPE), `${ONE} 1`);
  }
});

test("where the gateway does not answer in time the page that was kept is shown; without one it is waited for", async () => {
  const world = await (await new World().start()).open();
  let answer;
  world.link = new Promise((resolve) => (answer = resolve));
  const shown = world.request(SCOPE);
  assert.deepEqual(world.timers.map(({ ms }) => ms), [5000]);
  world.timers.pop().callback();
  assert.equal(await shown, `${ONE} 1`);

  world.caches.clear();
  const late = world.request(SCOPE);
  world.timers.pop().callback();
  answer();
  assert.equal(await late, `${ONE} 3`);
});

test("what came too late to be shown tells which release is kept", async () => {
  const world = await (await new World().start()).open();
  world.version = TWO;
  let answer;
  world.link = new Promise((resolve) => (answer = resolve));
  const shown = world.request(SCOPE);
  world.timers.pop().callback();
  assert.equal(await shown, `${ONE} 1`);
  answer();
  await world.after;
  assert.deepEqual([...world.caches.keys()], [`pillowcast ${SCOPE} ${TWO} en`]);

  world.status = 502;
  assert.equal(await world.request(SCOPE), `${TWO} 3`);
  await world.after;
  assert.deepEqual([...world.caches.keys()], [`pillowcast ${SCOPE} ${TWO} en`], "a proxy's error is no page");
});

test("a browser that cannot read what it keeps waits for the gateway", async () => {
  const world = await (await new World().start()).open();
  world.isDamaged = true;
  world.status = 502;
  assert.equal(await world.request(SCOPE), `${ONE} 2`);
});

test("of two that a worker left when it was killed, the next page that is opened removes the older one", async () => {
  const world = await (await new World().start()).open();
  world.caches.set(`pillowcast ${SCOPE} 0123456789ab`, new Map([[SCOPE, new Response("of the worker before")]]));
  world.version = TWO;
  world.canDelete = false;
  await world.open();
  assert.equal(world.caches.size, 3);
  world.canDelete = true;
  await world.open();
  assert.deepEqual([...world.caches.keys()], [`pillowcast ${SCOPE} ${TWO} en`]);
});

test("only the page is kept, and nothing else is touched", async () => {
  const world = await (await new World().start()).open();
  assert.deepEqual(world.fetched, [`${SCOPE}?lang=en`]);
  for (const path of ["api/pillows", "events", "embed.js", "badge/cloud-1.svg", "assets/0/style.css"]) {
    assert.equal(await world.request(SCOPE + path), undefined, path);
    assert.equal(await world.request(SCOPE + path, { mode: "cors" }), undefined, path);
  }
  assert.equal(await world.request(SCOPE, { mode: "cors" }), undefined);
  assert.equal(await world.request(SCOPE, { method: "POST" }), undefined);
  assert.equal(await world.request("https://clouds.example/"), undefined);
  assert.deepEqual(world.fetched, [`${SCOPE}?lang=en`]);
});

test("a page of another release takes the place of the one that was kept, and leaves those of other gateways alone", async () => {
  const world = new World();
  world.caches.set("pillowcast https://clouds.example/ old", new Map());
  await (await world.start()).open();
  await world.open();
  assert.equal(world.fetched.length, 1, "it is kept already");
  world.version = TWO;
  await world.open();
  assert.deepEqual([...world.caches.keys()], ["pillowcast https://clouds.example/ old", `pillowcast ${SCOPE} ${TWO} en`]);
  world.network = false;
  assert.equal(await world.request(SCOPE), `${TWO} 2`);
});

test("two pages that are opened at once leave one", async () => {
  const world = await new World().start();
  await Promise.all([world.open("de"), world.open("fr")]);
  assert.deepEqual([...world.caches.keys()], [`pillowcast ${SCOPE} ${ONE} fr`]);
});

test("the page is kept in the language in which it was opened last, also after a failure", async () => {
  const world = await (await new World().start()).open();
  await world.open("de");
  assert.deepEqual(world.fetched.slice(1), [`${SCOPE}?lang=de`]);
  for (const fault of ["network", "disk"]) {
    world.network = fault !== "network";
    world.isDiskFull = fault === "disk";
    await world.open("fr");
    world.network = false;
    assert.equal(await world.request(SCOPE), `${ONE} 2`, fault);
  }
  world.network = true;
  world.isDiskFull = false;
  await world.open("fr");
  assert.equal(world.fetched.at(-1), `${SCOPE}?lang=fr`);
  const { length } = world.fetched;
  for (const language of ["../evil", "", undefined, 7]) await world.open(language ?? null);
  for (const version of ["", "assets/", "x/assets/00000000001a/", undefined]) await world.fire("message", { version, language: "de" });
  await world.fire("message");
  assert.equal(world.fetched.length, length);
});

test("what the gateway refuses, another release, and what a proxy answers in its name is not kept", async () => {
  const world = await new World().start();
  world.status = 403;
  await world.open();
  world.status = 200;
  await world.fire("message", { version: TWO, language: "en" });
  assert.equal(world.fetched.length, 2);
  assert.deepEqual([...world.caches.keys()], []);
});

test("a worker that keeps nothing removes what was kept, and itself", async () => {
  const world = await (await new World().start()).open();
  await world.start({ isKept: false });
  assert.deepEqual([...world.caches.keys()], []);
  assert.equal(world.isRegistered, false);
  assert.equal(await world.request(SCOPE), undefined);
  await world.open();
  assert.deepEqual([...world.caches.keys()], []);
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
  const replaced = new EventTarget();
  const addEventListener = (...given) => replaced.addEventListener(...given);
  const container = { ...serviceWorker, ready: Promise.resolve({ active }), controller: active, addEventListener };
  const shown = { version: ONE, language: "ja" };
  await registerWorker(windowWith({ serviceWorker: container }), new URL(SCOPE), shown);
  assert.deepEqual(said, [shown]);
  replaced.dispatchEvent(new Event("controllerchange"));
  assert.deepEqual(said, [shown, shown], "another worker has taken its place");
  await registerWorker(windowWith({ serviceWorker: container, trustedTypes }), new URL(SCOPE), shown);
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

test("the tools are loaded once the page is live, and again after a failure: half a minute later, or when it is live anew", async (context) => {
  context.mock.method(console, "warn", () => {});
  const outcomes = [Promise.reject(new Error("no network")), Promise.reject(new Error("cut")), Promise.resolve("tools")];
  let loads = 0;
  const idle = [];
  const options = [];
  const requestIdleCallback = (callback, given) => void (idle.push(callback), options.push(given));
  const timers = new Map();
  const setTimeout = (callback, ms) => (assert.equal(ms, 30_000), timers.set(timers.size + 1, callback), timers.size);
  const clearTimeout = (timer) => timer && timers.set(timer, null);
  const started = [];
  const extras = new ExtrasLater({ requestIdleCallback, setTimeout, clearTimeout }, () => outcomes[loads++], (part) => started.push(part));
  extras.onConnection({ connection: "disconnected" });
  assert.equal(idle.length, 0);
  extras.onConnection({ connection: "live" });
  extras.onConnection({ connection: "live" });
  assert.equal(idle.length, 1);
  assert.deepEqual(options, [{ timeout: 3000 }], "a browser may never be idle");
  await idle.pop()();
  extras.onConnection({ connection: "live" });
  await idle.pop()();
  assert.equal(timers.get(1), null, "one timer is enough");
  extras.onConnection({ connection: "disconnected" });
  timers.get(2)();
  assert.equal(idle.length, 0, "it waits for the connection");
  extras.onConnection({ connection: "live" });
  await idle.pop()();
  extras.onConnection({ connection: "live" });
  assert.deepEqual([loads, idle.length, started], [3, 0, ["tools"]]);
});
