/** The dialog behind the button in the header: link and snippets to copy, and the signals to choose. */

import { byId, createElement } from "../cloud/dom.js";
import { SCOPES } from "./choices.js";
import { badgeSnippet, embedSnippet, pillowLink, wallLink } from "./share.js";

/** A snippet for a wall shows this many clouds at most. */
const MAX_EMBEDDED = 6;

/** @typedef {import("./extras.js").Surroundings} Surroundings */
/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

/**
 * What the dialog changes when something is chosen.
 *
 * @typedef {object} Parts
 * @property {{allow(): void, play(): void}} sound
 * @property {{ask(): Promise<"granted" | "denied" | "missing">}} notifications
 * @property {{refresh(): void}} signals
 */

/**
 * Put the text of a field on the clipboard. Where the browser does not let the page do that, the text is selected.
 *
 * @param {Pick<Field, "value" | "focus" | "select">} field
 * @param {Pick<Clipboard, "writeText"> | undefined} clipboard missing on a site without TLS
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyField(field, clipboard) {
  try {
    if (clipboard === undefined) throw new Error("there is no clipboard");
    await clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return false;
  }
}

export class ToolsDialog {
  #page;
  #choices;
  #parts;
  #dialog = createElement("dialog", "tools");
  #content = createElement("div", "tools-content");
  #message = createElement("p", "tools-message");

  /**
   * @param {Surroundings} page
   * @param {import("./choices.js").Choices} choices
   * @param {Parts} parts
   */
  constructor(page, choices, parts) {
    this.#page = page;
    this.#choices = choices;
    this.#parts = parts;
    const { document } = page.window;
    const title = createElement("h2", "", this.#page.texts.format("extras.title"));
    title.id = "tools-title";
    const close = createElement("button", "tools-close", "×");
    close.type = "button";
    close.setAttribute("aria-label", this.#page.texts.format("extras.close"));
    close.addEventListener("click", () => this.#dialog.close());
    const head = createElement("div", "tools-head");
    head.append(title, close);
    this.#message.setAttribute("role", "status");
    const box = createElement("div", "tools-box");
    box.append(head, this.#content, this.#message);
    this.#dialog.append(box);
    this.#dialog.setAttribute("aria-labelledby", title.id);
    // A click beside the box is one on the dialog itself.
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog) this.#dialog.close();
    });
    document.body.append(this.#dialog);
    const button = byId(document, "tools");
    button.addEventListener("click", () => this.open());
    button.classList.add("ready");
  }

  /** Show the dialog for what the page shows now. */
  open() {
    this.#say("");
    this.#content.replaceChildren(this.#createSharing(), this.#createSignals());
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** @param {string} text */
  #say(text) {
    this.#message.textContent = text;
  }

  #createSharing() {
    const { folder, nameOf, state, views, window } = this.#page;
    const pillow = state.viewed;
    const pillows = pillow === null ? views.wall.ids.slice(0, MAX_EMBEDDED) : [pillow];
    const isPrivate = window.document.body.dataset.auth === "jwt";
    const link = pillow === null ? wallLink(folder, window.location) : pillowLink(folder, pillow);
    const heading = pillow === null ? this.#page.texts.format("extras.share-wall") : this.#page.texts.format("extras.share-pillow", { name: nameOf(pillow) });
    const section = createElement("section");
    const address = this.#createField("link", link, isPrivate ? this.#page.texts.format("extras.link-private") : "");
    section.append(createElement("h3", "", heading), address);
    if (typeof window.navigator.share === "function") address.append(this.#createSend(link));
    if (pillows.length === 0) return section;
    section.append(this.#createField("embed", embedSnippet(folder, pillows, isPrivate), this.#page.texts.format(isPrivate ? "extras.embed-private" : "extras.embed-hint")));
    if (!isPrivate) section.append(this.#createField("badge", badgeSnippet(folder, pillows), ""));
    return section;
  }

  /**
   * A text to copy, with its label and a button.
   *
   * @param {string} name part of the keys of its sentences
   * @param {string} text
   * @param {string} hint
   */
  #createField(name, text, hint) {
    const rows = text.split("\n").length;
    /** @type {Field} */
    const field = rows > 1 ? createElement("textarea") : createElement("input");
    if (field instanceof HTMLTextAreaElement) field.rows = Math.min(rows, 4);
    field.readOnly = true;
    field.value = text;
    field.dir = "ltr";
    field.id = `tools-${name}`;
    field.setAttribute("translate", "no");
    const label = createElement("label", "", this.#page.texts.format(`extras.${name}`));
    label.htmlFor = field.id;
    const button = createElement("button", "tools-button", this.#page.texts.format("extras.copy"));
    button.type = "button";
    button.setAttribute("aria-label", this.#page.texts.format(`extras.copy-${name}`));
    button.addEventListener("click", async () => {
      const isCopied = await copyField(field, this.#page.window.navigator.clipboard);
      this.#say(this.#page.texts.format(isCopied ? "extras.copied" : "extras.selected"));
    });
    const row = createElement("div", "tools-row");
    row.append(field, button);
    const group = createElement("div", "tools-field");
    group.append(label, row);
    if (hint !== "") group.append(createElement("p", "tools-hint", hint));
    return group;
  }

  /** A button for what the device itself offers. @param {string} url */
  #createSend(url) {
    const { navigator, document } = this.#page.window;
    const button = createElement("button", "tools-button", this.#page.texts.format("extras.send"));
    button.type = "button";
    // It is rejected if the visitor thinks better of it.
    button.addEventListener("click", () => navigator.share({ title: document.title, url }).catch(() => {}));
    return button;
  }

  #createSignals() {
    const { nameOf, state } = this.#page;
    const section = createElement("section");
    section.append(
      createElement("h3", "", this.#page.texts.format("extras.signals")),
      this.#createCheck("title", () => {}),
      this.#createCheck("sound", () => {
        this.#parts.sound.allow();
        this.#say(this.#page.texts.format("extras.sound-hint"));
      }),
      this.#createCheck("notification", (box) => this.#askForNotifications(box)),
      this.#createScope(),
    );
    const pillow = state.viewed;
    if (pillow !== null) section.append(this.#createFavourite(pillow, nameOf(pillow)));
    return section;
  }

  /**
   * @param {"title" | "sound" | "notification"} name
   * @param {(box: HTMLInputElement) => void} onOn
   */
  #createCheck(name, onOn) {
    const [label, box] = createCheckbox(this.#page.texts.format(`extras.signal-${name}`), this.#choices.chosen[name]);
    box.addEventListener("change", () => {
      this.#say("");
      this.#choose({ [name]: box.checked });
      if (box.checked) onOn(box);
    });
    return label;
  }

  /** The browser asks the visitor, and only now. @param {HTMLInputElement} box */
  async #askForNotifications(box) {
    const answer = await this.#parts.notifications.ask();
    if (answer === "granted") return;
    box.checked = false;
    this.#choose({ notification: false });
    this.#say(this.#page.texts.format(`extras.notification-${answer}`));
  }

  #createScope() {
    const select = createElement("select");
    select.id = "tools-scope";
    for (const scope of SCOPES) select.append(new Option(this.#page.texts.format(`extras.scope-${scope}`), scope));
    select.value = this.#choices.chosen.scope;
    select.addEventListener("change", () => this.#choose({ scope: select.value }));
    const label = createElement("label", "", this.#page.texts.format("extras.scope"));
    label.htmlFor = select.id;
    const row = createElement("p", "tools-scope");
    row.append(label, select);
    return row;
  }

  /**
   * @param {string} pillow
   * @param {string} name
   */
  #createFavourite(pillow, name) {
    const [label, box] = createCheckbox(this.#page.texts.format("extras.favourite", { name }), this.#choices.chosen.favourites.includes(pillow));
    box.addEventListener("change", () => {
      const others = this.#choices.chosen.favourites.filter((id) => id !== pillow);
      this.#choose({ favourites: box.checked ? [...others, pillow] : others });
    });
    return label;
  }

  /** @param {Partial<import("./choices.js").Chosen>} changes */
  #choose(changes) {
    this.#choices.set(changes);
    this.#parts.signals.refresh();
    if (!this.#choices.isKept) this.#say(this.#page.texts.format("extras.not-kept"));
  }
}

/**
 * @param {string} text
 * @param {boolean} isChecked
 * @returns {[HTMLLabelElement, HTMLInputElement]}
 */
function createCheckbox(text, isChecked) {
  const label = createElement("label", "tools-check");
  const box = createElement("input");
  box.type = "checkbox";
  box.checked = isChecked;
  label.append(box, createElement("span", "", text));
  return [label, box];
}
