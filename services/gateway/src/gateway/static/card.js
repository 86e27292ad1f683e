/** One pillow on the page: its cloud, its name, what it does and since when. */

import { drawCloud, pose, stateColor, stateLabel } from "./cloud.js";
import { feeling, percent } from "./words.js";
import { write } from "./writing.js";

const LOW_BATTERY = 0.2;

export class Card {
  #cloud = drawCloud();
  #state = make("span", "state");
  #when = make("time", "when");
  #battery = make("span", "battery");
  #charge = make("span", "charge");
  #pillow;

  constructor(id) {
    this.id = id;
    this.element = make("article");
    this.element.dataset.pillow = id;

    const name = make("h2");
    const link = make("a");
    link.href = `?pillow=${id}`;
    link.title = `Watch ${id} alone`;
    link.textContent = id;
    name.append(link);
    name.id = `name-${id}`;
    this.element.setAttribute("aria-labelledby", name.id);

    const picture = make("div", "picture");
    picture.append(this.#cloud);
    const battery = make("span", "battery-case");
    battery.append(this.#charge);
    this.#battery.append(battery, make("span", "only-heard"), make("span", "percent"));
    this.#battery.querySelector(".only-heard").textContent = "Battery ";
    this.#battery.hidden = true;
    const facts = make("p", "facts");
    facts.append(this.#when, this.#battery);
    this.element.append(picture, name, this.#state, facts);
  }

  /**
   * Show a pillow as it is now, touching only what is different.
   *
   * @returns {string | null} what it is doing, when that is another thing than before
   */
  show(pillow, fresh, ageMs) {
    const { state, doing, when } = feeling(pillow, fresh, ageMs, stateLabel);
    const { dataset, classList, style } = this.element;
    const hasTurned = dataset.state !== state;
    if (hasTurned) {
      dataset.state = state;
      style.setProperty("--state", stateColor(pillow ? state : "notconnected"));
      pose(this.#cloud, pillow ? state : "notconnected");
    }
    if (dataset.fresh !== fresh) {
      dataset.fresh = fresh;
      classList.toggle("still", fresh === "stale" || fresh === "quiet");
    }
    write(this.#state, doing);
    write(this.#when, when);
    if (pillow !== this.#pillow) {
      this.#pillow = pillow;
      if (pillow?.at) this.#when.dateTime = pillow.at;
      this.#showBattery(pillow);
    }
    return hasTurned ? doing : null;
  }

  /** A pillow that is not connected says nothing of its battery either. */
  #showBattery({ state, battery: share } = {}) {
    const text = state === "notconnected" ? "" : percent(share);
    this.#battery.hidden = text === "";
    if (text === "") return;
    write(this.#battery.querySelector(".percent"), text);
    this.#battery.classList.toggle("low", share < LOW_BATTERY);
    this.#charge.style.setProperty("--charge", share);
  }
}

function make(tag, name) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  return element;
}
