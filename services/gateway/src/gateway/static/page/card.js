/** The card of a pillow on the wall: its cloud, name, state, the state's age, and battery. */

import { createCloud, followMotion, setPose, stateColor } from "../cloud/cloud.js";
import { createElement, setText } from "../cloud/dom.js";
import { describePillow, isStill, knowledgeOf } from "../cloud/format.js";
import { Battery } from "./battery.js";
import { showLabel, showLabelAndId, showName } from "./pillow_name.js";
import { hashOf } from "./route.js";

/** @typedef {import("../client/frames.js").Pillow} Pillow */
/** @typedef {{left: number, top: number, width: number, height: number}} Box in px, `left` from where lines begin */

export class Card {
  id = "";
  /** Whether the cloud changes its pose with a transition. */
  isSoft = true;
  element = createElement("div", "card");
  link = createElement("a");
  #label = "";
  #id = createElement("p", "id");
  #cloud;
  #state = createElement("span", "state");
  #note = createElement("span", "when-note");
  #when = createElement("time");
  #hugs = createElement("p", "today");
  #lastHug = createElement("p", "today last");
  #battery;
  #texts;
  /** @type {Pillow | undefined} */
  #pillow;
  #position = "";
  #isPlain;
  /** Whether the card was assigned to a pillow and not rendered since. */
  #isNew = false;

  /**
   * @param {boolean} isPlain whether it is one of a crowd
   * @param {import("../cloud/texts.js").Texts} texts
   */
  constructor(isPlain, texts) {
    this.#isPlain = isPlain;
    this.#texts = texts;
    this.#battery = new Battery(texts);
    this.#cloud = createCloud({ isPlain });
    const name = createElement("h2");
    name.translate = false;
    name.dir = "auto";
    name.append(this.link);
    const picture = createElement("div", "picture");
    picture.append(this.#cloud);
    const facts = createElement("p", "facts");
    const when = createElement("span", "when");
    when.append(this.#note, this.#when);
    facts.append(when, this.#battery.element);
    this.#id.translate = false;
    this.element.append(picture, name, ...(isPlain ? [] : [this.#id]), this.#state, facts);
    // The tile of a crowd has no room for them.
    if (!isPlain) this.element.append(this.#hugs, this.#lastHug);
    this.element.setAttribute("role", "listitem");
  }

  /** State and freshness that are shown, to find a card that needs few changes to be reused. */
  get appearance() {
    return `${this.element.dataset.state} ${this.element.dataset.fresh}`;
  }

  /** Use the card for another pillow; the next `render` replaces what it shows. @param {string} id */
  assign(id) {
    this.id = id;
    this.element.dataset.pillow = id;
    this.link.href = hashOf(id);
    showName(this.link, id);
    this.#label = "";
    setText(this.#id, "");
    this.#pillow = undefined;
    this.#isNew = true;
    this.#position = "";
  }

  /** Show what the pillow is called, and its id beside that. @param {string} label "" without one */
  setLabel(label) {
    if (label === this.#label) return;
    this.#label = label;
    // The tile of a crowd has one line for both.
    if (label === "") showName(this.link, this.id);
    else if (this.#isPlain) showLabelAndId(this.link, label, this.id);
    else showLabel(this.link, label);
    setText(this.#id, label === "" ? "" : this.id);
  }

  /**
   * @param {number} index place in the wall's order
   * @param {number} count cards in the wall's order
   * @param {Box | null} box null for the normal flow of the document
   */
  setPosition(index, count, box) {
    const position = box === null ? `${index}/${count}` : `${index}/${count} ${box.left} ${box.top} ${box.width} ${box.height}`;
    if (position === this.#position) return;
    this.#position = position;
    this.element.setAttribute("aria-posinset", String(index + 1));
    this.element.setAttribute("aria-setsize", String(count));
    const { style } = this.element;
    style.insetInlineStart = box === null ? "" : `${box.left}px`;
    style.top = box === null ? "" : `${box.top}px`;
    style.width = box === null ? "" : `${box.width}px`;
    style.height = box === null ? "" : `${box.height}px`;
  }

  /**
   * Show the current state of the pillow. Only what differs is changed.
   *
   * @param {Pillow | undefined} pillow
   * @param {import("../cloud/format.js").Knowledge} knowledge
   * @param {() => [string, string]} hugsOf how often it was hugged today, and when last; a crowd does not show it
   * @returns {boolean} whether the card was showing another state of the same pillow
   */
  render(pillow, knowledge, hugsOf) {
    const { fresh } = knowledge;
    const { state, pose, activity, age, when } = describePillow(pillow, knowledge, this.#texts);
    const { dataset, classList, style } = this.element;
    const isFirst = this.#isNew;
    this.#isNew = false;
    const hasChanged = dataset.state !== state;
    if (hasChanged) {
      dataset.state = state;
      style.setProperty("--state", stateColor(pose));
    }
    if (dataset.fresh !== fresh) {
      dataset.fresh = fresh;
      classList.toggle("still", isStill(fresh));
    }
    setPose(this.#cloud, pose, this.#texts, { isSoft: this.isSoft && !isFirst, isStill: isStill(fresh) });
    setText(this.#state, activity);
    // A card of a crowd has room for the age only; a screen reader reads the whole sentence.
    const isShort = this.#isPlain && age !== when;
    setText(this.#note, isShort ? when : "");
    setText(this.#when, isShort ? age : when);
    this.#when.ariaHidden = isShort ? "true" : null;
    if (!this.#isPlain) {
      const [hugs, lastHug] = hugsOf();
      setText(this.#hugs, hugs);
      setText(this.#lastHug, lastHug);
    }
    if (pillow !== this.#pillow) {
      if (!isFirst && fresh === "live") followMotion(this.#cloud, pillow?.motion);
      this.#pillow = pillow;
      if (pillow?.at) this.#when.dateTime = pillow.at;
      this.#battery.render(pillow);
    }
    return hasChanged && !isFirst;
  }
}

/** Renders cards with the client's states, describes these, and passes changes to the announcer. */
export class CardRenderer {
  #client;
  #announcer;
  #texts;
  #story;
  #labels;

  /**
   * @param {import("../client/session.js").Session} client
   * @param {import("./announcer.js").Announcer} announcer
   * @param {import("../cloud/texts.js").Texts} texts
   * @param {Pick<import("./story_later.js").StoryLater, "card">} story
   * @param {Pick<import("../cloud/labels.js").Labels, "of">} labels
   */
  constructor(client, announcer, texts, story, labels) {
    this.#labels = labels;
    this.#story = story;
    this.#texts = texts;
    this.#client = client;
    this.#announcer = announcer;
  }

  /** The state of a pillow; `unknown` without one. @param {string} id */
  stateOf(id) {
    return this.#client.pillows.get(id)?.state ?? "unknown";
  }

  /** The activity of a pillow in words. @param {string} id */
  activityOf(id) {
    return describePillow(this.#client.pillows.get(id), knowledgeOf(this.#client, id), this.#texts).activity;
  }

  /** `Card.appearance` of a pillow's card once it is rendered. @param {string} id */
  appearanceOf(id) {
    return `${this.stateOf(id)} ${this.#client.freshness(id)}`;
  }

  /** @param {Card} card */
  render(card) {
    const { id } = card;
    card.setLabel(this.#labels.of(id));
    if (card.render(this.#client.pillows.get(id), knowledgeOf(this.#client, id), () => this.#story.card(id))) this.#announcer.add(id);
  }
}
