/** The elements around the views, and the status bar, on a fake document. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Shell } from "../../services/gateway/src/gateway/static/page/shell.js";
import { MIN_ANNOUNCEMENT_INTERVAL_MS, StatusBar } from "../../services/gateway/src/gateway/static/page/status.js";
import { FakeDocument } from "./fakes.js";

const byId = (document, id) => document.getElementById(id);
const press = (document, key) => document.dispatchEvent(Object.assign(new Event("keydown"), { key }));
globalThis.Element ??= class Element {};

function setUpShell() {
  const document = new FakeDocument();
  const shell = new Shell(document);
  let clicks = 0;
  byId(document, "back").addEventListener("click", () => { clicks += 1; });
  return { document, shell, clicks: () => clicks };
}

test("the title and the visible parts follow the view", () => {
  const { document, shell } = setUpShell();
  shell.render("sofa", { hasBackLink: true, canGoBack: true });
  assert.equal(document.title, "sofa · Pillowcast");
  assert.deepEqual([byId(document, "back").hidden, byId(document, "wall").hidden], [false, true]);
  shell.render(null, { hasBackLink: false, canGoBack: false });
  assert.equal(document.title, "Pillowcast");
  assert.deepEqual([byId(document, "back").hidden, byId(document, "wall").hidden], [true, false]);
});

test("the link back keeps the filter of the wall", () => {
  const { document, shell } = setUpShell();
  shell.setBackHash("#state=hugging");
  assert.equal(byId(document, "back").href, "#state=hugging");
  shell.setBackHash("");
  assert.equal(byId(document, "back").href, "#");
});

test("Escape goes back only if there is a wall to go to", () => {
  const { document, shell, clicks } = setUpShell();
  shell.render("sofa", { hasBackLink: true, canGoBack: false });
  press(document, "Escape");
  assert.equal(clicks(), 0);
  shell.render("sofa", { hasBackLink: true, canGoBack: true });
  press(document, "Escape");
  assert.equal(clicks(), 1);
});

test("the slash key focuses the name filter of the wall, after the event", async () => {
  const { document, shell } = setUpShell();
  const filter = byId(document, "name-filter");
  shell.render("sofa", { hasBackLink: true, canGoBack: true });
  press(document, "/");
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(filter.isFocused, false);
  shell.render(null, { hasBackLink: false, canGoBack: false });
  press(document, "/");
  assert.equal(filter.isFocused, false, "not during the event, or it would be typed");
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(filter.isFocused, true);
});

test("the skip link focuses the content and does not change the fragment", () => {
  const { document } = setUpShell();
  const event = new Event("click", { cancelable: true });
  byId(document, ".skip").dispatchEvent(event);
  assert.equal(event.defaultPrevented, true);
  assert.equal(byId(document, "main").isFocused, true);
});

const facts = (connection, phase = "open") => ({ connection, lastingMs: 0, status: { phase, retryInMs: 5_000, reason: "" }, count: 2, isRetained: true });

function setUpStatus() {
  const document = new FakeDocument();
  let retries = 0;
  const bar = new StatusBar(document, () => { retries += 1; });
  return { document, bar, announced: () => byId(document, "status-announcement").textContent, retries: () => retries };
}

test("the body has the connection for the style sheets", () => {
  const { document, bar } = setUpStatus();
  bar.render(facts("broker-offline"), 1_000);
  assert.equal(document.body.dataset.connection, "broker-offline");
});

test("a connection that flaps is announced at most every MIN_ANNOUNCEMENT_INTERVAL_MS", () => {
  const { bar, announced } = setUpStatus();
  bar.render(facts("live"), 0);
  assert.equal(announced(), "Live");
  bar.render(facts("disconnected", "waiting"), 100);
  assert.match(announced(), /^Disconnected/, "the first connection does not delay a loss");
  bar.render(facts("live"), 200);
  assert.match(announced(), /^Disconnected/);
  bar.render(facts("live"), 100 + MIN_ANNOUNCEMENT_INTERVAL_MS);
  assert.equal(announced(), "Live");
});

test("the retry button stays while it has the focus", () => {
  const { document, bar, retries } = setUpStatus();
  const button = byId(document, "retry");
  bar.render(facts("disconnected", "waiting"), 0);
  assert.equal(button.hidden, false);
  button.click();
  assert.equal(retries(), 1);
  document.activeElement = button;
  bar.render(facts("live"), 1_000);
  assert.equal(button.hidden, false);
  document.activeElement = null;
  bar.render(facts("live"), 2_000);
  assert.equal(button.hidden, true);
});
