/** The detail view of one pillow: a large cloud and facts, now or at a past time that its story replays. */

import { createCloud, followMotion, setPose, stateColor } from "../cloud/cloud.js";
import { byId, setText } from "../cloud/dom.js";
import { clockSentences, describePillow, isStill, knowledgeOf } from "../cloud/format.js";
import { Battery } from "./battery.js";

/** @typedef {import("../client/frames.js").Pillow} Pillow */

export class DetailView {
  /** The pillow that is shown; null while the view is closed. @type {string | null} */
  id = null;
  #document;
  #client;
  #story;
  #texts;
  /** @type {HTMLElement} */
  #element;
  /** Created when the view is first opened. @type {HTMLElement | undefined} */
  #cloud;
  #battery;
  #hasStateChanged = false;
  /** The state that was rendered last. @type {Pillow | undefined} */
  #pillow;
  #labels;
  /** The past time that was rendered last. @type {string | undefined} */
  #pastKey;

  /**
   * @param {Document} document
   * @param {import("../client/session.js").Session} client
   * @param {Pick<import("./story_later.js").StoryLater, "past" | "lastHeard">} story
   * @param {import("../cloud/texts.js").Texts} texts
   * @param {Pick<import("../cloud/labels.js").Labels, "of">} labels
   */
  constructor(document, client, story, texts, labels) {
    this.#labels = labels;
    this.#texts = texts;
    this.#battery = new Battery(texts);
    this.#document = document;
    this.#client = client;
    this.#story = story;
    this.#element = byId(document, "detail");
    byId(document, "detail-battery").append(this.#battery.element);
  }

  /** Show a pillow; null closes the view. @param {string | null} id */
  open(id) {
    if (id === this.id) return;
    this.id = id;
    this.#element.hidden = id === null;
    this.#pillow = undefined;
    delete this.#element.dataset.state;
    if (id === null) {
      delete this.#element.dataset.pillow;
      return;
    }
    if (this.#cloud === undefined) byId(this.#document, "detail-picture").append((this.#cloud = createCloud()));
    this.#element.dataset.pillow = id;
    this.render();
    this.#hasStateChanged = false;
  }

  /** Whether the pillow's state has changed since the last call. */
  takeStateChange() {
    const hasChanged = this.#hasStateChanged;
    this.#hasStateChanged = false;
    return hasChanged;
  }

  /** Show the current state, or that of the past time which is replayed. */
  render() {
    if (this.id === null || this.#cloud === undefined) return;
    const client = this.#client;
    const pillow = client.pillows.get(this.id);
    const past = this.#story.past(this.id);
    const isNow = past === null;
    const label = this.#labels.of(this.id);
    setText(byId(this.#document, "detail-name"), label || this.id);
    setText(byId(this.#document, "detail-id"), label && this.id);
    const knowledge = knowledgeOf(client, this.id);
    const { fresh } = knowledge;
    const lastHeard = pillow === undefined ? this.#story.lastHeard(this.id) : "";
    const description = describePillow(pillow, knowledge, this.#texts);
    const gone = lastHeard === "" ? {} : { pose: "notconnected", activity: this.#texts.state("notconnected"), when: lastHeard };
    const { state, pose, activity, when } = past ?? { ...description, ...gone };
    const { dataset } = this.#element;
    const hasChanged = dataset.state !== state;
    if (hasChanged) {
      dataset.state = state;
      this.#element.style.setProperty("--state", stateColor(pose));
    }
    dataset.fresh = isNow ? fresh : past.isKnown ? "past" : "unknown";
    this.#element.toggleAttribute("data-replay", !isNow);
    setPose(this.#cloud, pose, this.#texts, { isStill: isNow ? isStill(fresh) : !past.isKnown });
    const isNews = this.#pillow !== undefined && this.#pillow !== pillow && fresh === "live";
    if (isNow ? isNews : past.key !== this.#pastKey) followMotion(this.#cloud, (past ?? pillow)?.motion);
    this.#pastKey = past?.key;
    this.#pillow = pillow;
    setText(byId(this.#document, "detail-state"), activity);
    setText(byId(this.#document, "detail-when"), when);
    setText(byId(this.#document, "detail-clock"), isNow ? clockSentences(pillow, fresh, this.#texts) : "");
    this.#renderFacts(pillow);
    // A pillow that nobody knows has no past.
    const isUnknown = pillow === undefined && lastHeard === "" && client.connection !== "connecting";
    for (const part of ["story", "heat"]) byId(this.#document, part).hidden = isUnknown;
    if (hasChanged && isNow) this.#hasStateChanged = true;
  }

  /** @param {Pillow | undefined} pillow */
  #renderFacts(pillow) {
    const confidence = pillow?.state === "notconnected" ? "" : this.#texts.percent(pillow?.confidence);
    byId(this.#document, "confidence-fact").hidden = confidence === "";
    setText(byId(this.#document, "detail-confidence"), confidence);
    this.#battery.render(pillow);
    byId(this.#document, "battery-fact").hidden = this.#battery.element.hidden;
  }
}
