/** One pillow on the wall: its cloud, its name, what it does and since when. */

import { drawCloud, follow, pose, stateColor, stateLabel } from "../cloud/cloud.js";
import { feeling, isStill, percent } from "../cloud/words.js";
import { make, write } from "../cloud/writing.js";

const LOW_BATTERY = 0.2;

export class Card {
  id = "";
  /** Whether it goes softly from one pose to the next. */
  isSoft = true;
  element = make("div", "card");
  link = make("a");
  #cloud;
  #state = make("span", "state");
  #note = make("span", "note-before");
  #when = make("time");
  #battery = new Battery();
  #pillow;
  #where = "";
  #isAssigned = false;

  /** @param {boolean} isPlain whether it is one of a crowd */
  constructor(isPlain) {
    this.#cloud = drawCloud({ isPlain });
    const name = make("h2");
    name.append(this.link);
    const picture = make("div", "picture");
    picture.append(this.#cloud);
    const facts = make("p", "facts");
    const time = make("span", "when");
    time.append(this.#note, this.#when);
    facts.append(time, this.#battery.element);
    this.element.append(picture, name, this.#state, facts);
    this.element.setAttribute("role", "listitem");
  }

  /** What it looks like now. */
  get look() {
    return `${this.element.dataset.state} ${this.element.dataset.fresh}`;
  }

  /** Be another pillow's card; what it shows is shown until the next `show`. */
  assign(id) {
    this.id = id;
    this.element.dataset.pillow = id;
    this.link.href = `#${id}`;
    write(this.link, id);
    this.#pillow = undefined;
    this.#isAssigned = true;
    this.#where = "";
  }

  /** Lie where the wall says; in the flow of the page when it says nothing. */
  place(index, count, where) {
    const key = where === null ? `${index}/${count}` : `${index}/${count} ${where.left} ${where.top} ${where.width} ${where.height}`;
    if (key === this.#where) return;
    this.#where = key;
    this.element.setAttribute("aria-posinset", index + 1);
    this.element.setAttribute("aria-setsize", count);
    const { style } = this.element;
    style.left = where === null ? "" : `${where.left}px`;
    style.top = where === null ? "" : `${where.top}px`;
    style.width = where === null ? "" : `${where.width}px`;
    style.height = where === null ? "" : `${where.height}px`;
  }

  /**
   * Show a pillow as it is now, touching only what is different.
   *
   * @returns {string | null} what it is doing, when that is another thing than before
   */
  show(pillow, fresh, ageMs) {
    const { state, doing, note, when } = feeling(pillow, fresh, ageMs, stateLabel);
    const { dataset, classList, style } = this.element;
    const isFirst = this.#isAssigned;
    this.#isAssigned = false;
    const hasTurned = dataset.state !== state;
    const shown = pillow ? state : "notconnected";
    if (hasTurned) {
      dataset.state = state;
      style.setProperty("--state", stateColor(shown));
    }
    if (dataset.fresh !== fresh) {
      dataset.fresh = fresh;
      classList.toggle("still", isStill(fresh));
    }
    pose(this.#cloud, shown, { isSoft: this.isSoft && !isFirst, isStill: isStill(fresh) });
    write(this.#state, doing);
    write(this.#note, note);
    write(this.#when, when);
    if (pillow !== this.#pillow) {
      if (!isFirst && fresh === "live") follow(this.#cloud, pillow?.motion);
      this.#pillow = pillow;
      if (pillow?.at) this.#when.dateTime = pillow.at;
      this.#battery.show(pillow);
    }
    return hasTurned && !isFirst ? doing : null;
  }
}

/** A pillow's battery, as a picture and a number. */
export class Battery {
  element = make("span", "battery");
  #charge = make("span", "charge");
  #percent = make("span", "percent");

  constructor() {
    const battery = make("span", "battery-case");
    battery.append(this.#charge);
    this.element.append(battery, make("span", "only-heard", "Battery "), this.#percent);
    this.element.hidden = true;
  }

  /** A pillow that is not connected says nothing of its battery either. */
  show({ state, battery: share } = {}) {
    const text = state === "notconnected" ? "" : percent(share);
    this.element.hidden = text === "";
    if (text === "") return;
    write(this.#percent, text);
    this.element.classList.toggle("low", share < LOW_BATTERY);
    this.#charge.style.setProperty("--charge", share);
  }
}
