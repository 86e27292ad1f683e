/** The story of the pillows: what is not needed for the first picture. The page loads it later. */

import { byId, setText } from "../cloud/dom.js";
import { Calendar } from "./calendar.js";
import { PastApi } from "./past_api.js";
import { PastLoader } from "./past_loader.js";
import { StoryView } from "./story_view.js";
import { countTitle, hugsText, lastHugText } from "./story_words.js";
import { Times } from "./times.js";
import { Today } from "./today.js";
import { TodayPoll } from "./today_poll.js";

/** @typedef {import("./story_view.js").Past} Past */

/**
 * What the story gets from the page.
 *
 * @typedef {object} Page
 * @property {Document} document
 * @property {import("../client/session.js").Session} client
 * @property {import("../cloud/texts.js").Texts} texts
 * @property {URL} folder of the gateway
 * @property {string} token "" without one
 * @property {() => string[] | "all"} pillows whose hugs are asked for
 * @property {(kind: string) => string} colorOf the colour of a state
 * @property {() => void} onChange numbers, or what the detail view shows, have changed
 * @property {import("./past_api.js").Surroundings} [surroundings] what a test replaces
 * @property {string} [zone] the visitor's own by default
 * @property {() => number} [now] monotonic, in ms
 */

export class Story {
  #page;
  #calendar;
  #times;
  #today;
  #poll;
  /** The pillows whose hugs are asked for. */
  #asked = "";
  #view;
  #elements;

  /** @param {Page} page */
  constructor(page) {
    const { document, client, texts, folder, token, onChange, now = () => performance.now() } = page;
    this.#page = page;
    this.#calendar = new Calendar(page.zone);
    this.#times = new Times(texts, this.#calendar.zone);
    this.#today = new Today(this.#calendar);
    const api = new PastApi(folder, token, page.surroundings);
    const ask = async () => {
      const asked = page.pillows();
      return { ...(await api.today(this.#calendar.zone, asked)), asked };
    };
    this.#poll = new TodayPoll(ask, now, (answer) => {
      if (answer !== null) this.#today.replace(answer, client.now());
      onChange();
    });
    const loader = new PastLoader(api, { now, onChange, mayAsk: () => client.connection === "live" && !document.hidden });
    this.#view = new StoryView({ document, client, texts, times: this.#times, calendar: this.#calendar, loader, colorOf: (kind) => page.colorOf(kind === "asleep" ? "notconnected" : kind), hugsToday: (id) => this.hugs(id), onChange });
    this.#elements = { title: byId(document, "hug-title"), count: byId(document, "hug-count"), note: byId(document, "hug-note"), punchTitle: byId(document, "punch-title"), punches: byId(document, "punch-count"), order: createOrderNote(document, texts.format("story.order-unknown")) };
    client.addEventListener("change", ({ detail }) => this.#onChange(detail));
    client.addEventListener("motion", ({ detail }) => this.#onMotion(detail.pillows));
    client.addEventListener("connection", ({ detail }) => this.#onConnection(detail));
  }

  /**
   * Render the story of the pillow in the detail view, and ask for what is needed.
   *
   * @param {string | null} id null for the wall
   * @param {string} order of the wall
   * @param {boolean} isNeeded whether the page shows something of it
   */
  show(id, order, isNeeded) {
    const { client, document } = this.#page;
    this.#times.setOffset(client.clockOffsetMs);
    const pillows = String(this.#page.pillows());
    if (pillows !== this.#asked) this.#poll.renew();
    this.#asked = pillows;
    if (isNeeded && client.connection === "live" && !document.hidden) this.#poll.tick();
    this.#elements.order.hidden = id !== null || order !== "hugged" || this.#today.isKnown(client.now()) || !this.#poll.isFailing;
    this.#view.open(id);
    if (id === null) return;
    const told = this.#view.today;
    if (told !== null) this.#today.learn(id, told, client.now());
    this.#view.render();
    this.#renderFacts(id, told);
  }

  /** What is shown instead of the present of a pillow; null for the present. @param {string} id @returns {Past | null} */
  past(id) {
    return this.#view.id === id ? this.#view.past : null;
  }

  /** When a pillow was last heard that only the past knows, in words; "" of another one. @param {string} id */
  lastHeard(id) {
    return this.#view.id === id ? this.#view.lastHeard : "";
  }

  /** The hugs of a pillow today; 0 if they are not known. @param {string} id */
  hugs(id) {
    return this.#today.of(id, this.#page.client.now())?.hugs ?? 0;
  }

  /** What a card says: how often its pillow was hugged, and when last. @param {string} id @returns {[string, string]} */
  card(id) {
    const { texts } = this.#page;
    const hugs = this.#hugsOf(id);
    return [hugsText(hugs, texts, this.#times), lastHugText(hugs, this.#facts(id), texts)];
  }

  /** @param {string} id */
  #hugsOf(id) {
    return this.#today.of(id, this.#page.client.now());
  }

  /** @param {string} id */
  #facts(id) {
    const { client } = this.#page;
    const isHugging = client.pillows.get(id)?.state === "hugging" && client.freshness(id) === "live";
    return { now: client.now(), isHugging };
  }

  /**
   * @param {string} id
   * @param {import("./story_view.js").StoryView["today"]} told of its activity
   */
  #renderFacts(id, told) {
    const { texts } = this.#page;
    const { title, count, note, punchTitle, punches } = this.#elements;
    const isKnown = this.#page.client.pillows.has(id) || told !== null;
    const hugs = isKnown ? this.#hugsOf(id) : null;
    setText(title, countTitle("hugs", hugs, texts, this.#times));
    setText(punchTitle, countTitle("punches", told && this.#today.countedBy(told.source, this.#page.client.now()), texts, this.#times));
    setText(count, hugs === null ? "–" : texts.number(hugs.hugs));
    setText(note, hugs === null && this.#poll.isFailing ? texts.format("story.unknown") : lastHugText(hugs, this.#facts(id), texts));
    setText(punches, told === null ? "–" : texts.number(told.punches));
  }

  /** @param {import("../client/client_events.js").ChangeDetail} detail */
  #onChange({ updates, isSnapshot }) {
    for (const update of updates) {
      this.#today.add(update, isSnapshot);
      if (update.pillow !== null && update.id === this.#view.id) this.#view.add(update.pillow);
    }
  }

  /** @param {import("../client/frames.js").Pillow[]} pillows */
  #onMotion(pillows) {
    for (const pillow of pillows) if (pillow.pillow === this.#view.id) this.#view.add(pillow);
  }

  /** @param {import("../client/client_events.js").ConnectionDetail} detail */
  #onConnection(detail) {
    if (detail.connection !== "live") this.#today.lose(this.#page.client.now());
    this.#view.onConnection(detail);
  }
}

/** A note above the wall, of an order that cannot be told. @param {Document} document @param {string} text */
function createOrderNote(document, text) {
  const note = document.createElement("p");
  note.className = "order-note";
  note.textContent = text;
  note.hidden = true;
  byId(document, "filters").after(note);
  return note;
}
