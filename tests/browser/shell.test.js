/** The elements around the views, and the status bar, on a fake document. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Shell } from "../../services/gateway/src/gateway/static/page/shell.js";
import { MIN_ANNOUNCEMENT_INTERVAL_MS, StatusBar } from "../../services/gateway/src/gateway/static/page/status.js";
import { FakeDocument } from "./fakes.js";
import { english } from "./english.js";

const byId = (document, id) => document.getElementById(id);
/** Press a key; returns whether the page took it. */
function press(document, key, { from, ...how } = {}) {
  const event = Object.assign(new Event("keydown", { cancelable: true }), { key, ...how });
  if (from !== undefined) Object.defineProperty(event, "target", { value: from });
  document.dispatchEvent(event);
  return event.defaultPrevented;
}
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
  shell.render("sofa", { hasBackLink: true, name: "Sofa" });
  assert.equal(document.title, "Sofa · Pillowcast");
  assert.deepEqual([byId(document, "back").hidden, byId(document, "wall").hidden], [false, true]);
  shell.render(null, { hasBackLink: false });
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

test("Escape goes back only if there is a link to the wall", () => {
  const { document, shell, clicks } = setUpShell();
  shell.render(null, { hasBackLink: false });
  press(document, "Escape");
  assert.equal(clicks(), 0);
  shell.render("sofa", { hasBackLink: true });
  press(document, "Escape");
  assert.equal(clicks(), 1);
});

test("who came from the wall goes back in the history, and who did not follows the link", () => {
  const { document } = setUpShell();
  const went = [];
  const click = (state, modifiers = {}) => {
    document.defaultView = { history: { state, back: () => went.push("back") } };
    const event = Object.assign(new Event("click", { cancelable: true }), modifiers);
    byId(document, "back").dispatchEvent(event);
    return event.defaultPrevented;
  };
  assert.equal(click(null), false);
  assert.equal(click({ cameFromWall: false }), false);
  assert.equal(click({ cameFromWall: true }, { ctrlKey: true }), false, "a new tab");
  assert.deepEqual(went, []);
  assert.equal(click({ cameFromWall: true }), true);
  assert.deepEqual(went, ["back"]);
});

test("the slash key focuses the name filter of the wall, and is not typed nor Firefox's quick search", () => {
  const { document, shell } = setUpShell();
  const filter = byId(document, "name-filter");
  const slash = (how = {}) => {
    filter.isFocused = false;
    return [press(document, "/", how), filter.isFocused];
  };
  shell.render("sofa", { hasBackLink: true });
  assert.deepEqual(slash(), [false, false], "there is no wall");
  shell.render(null, { hasBackLink: false });
  assert.deepEqual(slash(), [true, true]);
  assert.deepEqual(slash({ shiftKey: true }), [true, true], "a keyboard on which it is Shift and 7");
  for (const how of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { isComposing: true }]) {
    assert.deepEqual(slash(how), [false, false], "the browser's or the input method's own key");
  }
  const field = Object.assign(new Element(), { closest: (selector) => (selector.includes("input") ? field : null) });
  assert.deepEqual(slash({ from: field }), [false, false], "it is typed into a field");
  byId(document, "filters").hidden = true;
  assert.deepEqual(slash(), [false, false], "few clouds have no filter");
});

test("a key in a dialog is the dialog's", () => {
  const { document, shell, clicks } = setUpShell();
  shell.render("sofa", { hasBackLink: true });
  const dialog = Object.assign(new Element(), { closest: (selector) => (selector === "dialog" ? dialog : null) });
  press(document, "Escape", { from: dialog });
  assert.equal(clicks(), 0);
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
  const bar = new StatusBar(document, english, () => { retries += 1; });
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
