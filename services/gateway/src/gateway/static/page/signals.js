/** Decides which hugs are signalled, and what the tab shows, by what the visitor has chosen. */

import { HugWatch } from "./hug_watch.js";
import { isReconnection } from "./reconnection.js";

/**
 * @typedef {object} Outputs
 * @property {{play(): void}} sound
 * @property {{add(name: string): void}} notifications
 * @property {{show(address: string | null): void}} icon
 */

/** @typedef {import("./extras.js").Surroundings} Surroundings */

export class Signals {
  #page;
  #choices;
  #outputs;
  #now;
  #watch = new HugWatch();
  /** Whether the watch has followed every update. */
  #isWatching = false;

  /**
   * @param {Pick<Surroundings, "client" | "nameOf" | "texts" | "pictureUrl"> & {state: {viewed: string | null}, views: {shell: {setTitlePrefix(prefix: string): void}}}} page
   * @param {import("./choices.js").Choices} choices
   * @param {Outputs} outputs
   * @param {() => number} now monotonic, in ms
   */
  constructor(page, choices, outputs, now) {
    this.#page = page;
    this.#choices = choices;
    this.#outputs = outputs;
    this.#now = now;
  }

  /** Listen to the client. */
  start() {
    const { client } = this.#page;
    client.addEventListener("change", ({ detail }) => this.#onChange(detail));
    client.addEventListener("connection", () => this.refresh());
    this.refresh();
  }

  /** Apply what was chosen, or which pillow is open. */
  refresh() {
    if (this.#choices.isOn && !this.#isWatching) this.#watch.start(this.#page.client.pillows, this.#now());
    this.#isWatching = this.#choices.isOn;
    const [prefix, picture] = this.#tab();
    this.#page.views.shell.setTitlePrefix(prefix);
    this.#outputs.icon.show(picture);
  }

  /** @param {import("../client/client_events.js").ChangeDetail} detail */
  #onChange({ updates, isSnapshot }) {
    if (!this.#isWatching) return;
    for (const update of updates) {
      const isNews = !isSnapshot && !isReconnection(update);
      if (this.#watch.note(update, isNews, this.#now()) && this.#concerns(update.id)) this.#signal(update.id);
    }
    if (this.#choices.chosen.title) this.refresh();
  }

  /** @param {string} id */
  #signal(id) {
    const { sound, notification } = this.#choices.chosen;
    if (sound) this.#outputs.sound.play();
    if (notification) this.#outputs.notifications.add(this.#page.nameOf(id));
  }

  /** Whether the visitor wants to know of a pillow. @param {string} id */
  #concerns(id) {
    const { scope, favourites } = this.#choices.chosen;
    if (scope === "favourites") return favourites.includes(id);
    const { viewed } = this.#page.state;
    return scope === "all" || viewed === null || viewed === id;
  }

  /** What the tab shows: a text before its title, and the address of its icon; null for its own. @returns {[string, string | null]} */
  #tab() {
    const { client, nameOf, texts, pictureUrl } = this.#page;
    const { title, scope } = this.#choices.chosen;
    if (!title || client.connection !== "live") return ["", null];
    const open = this.#page.state.viewed;
    const state = scope === "view" && open !== null ? client.pillows.get(open)?.state : undefined;
    if (state !== undefined) return [`${texts.state(state)} · `, pictureUrl(state)];
    const hugged = [...this.#watch.hugged].filter((id) => this.#concerns(id));
    if (hugged.length === 0) return ["", null];
    return [`${hugSentence(hugged.map(nameOf), texts)} · `, pictureUrl("hugging")];
  }
}

/**
 * Who is hugged: one by name, of more the number.
 *
 * @param {string[]} names
 * @param {import("../cloud/texts.js").Texts} texts
 */
export function hugSentence(names, texts) {
  return names.length === 1 ? texts.format("extras.is-hugged", { name: names[0] }) : texts.format("extras.are-hugged", { count: names.length });
}
