/** The battery of a pillow, as a picture and a percentage. */

import { createElement, setText } from "../cloud/dom.js";

const LOW = 0.2;

export class Battery {
  element = createElement("span", "battery");
  #charge = createElement("span", "charge");
  #percent = createElement("span", "percent");

  #texts;

  /** @param {import("../cloud/texts.js").Texts} texts */
  constructor(texts) {
    this.#texts = texts;
    const body = createElement("span", "battery-body");
    body.append(this.#charge);
    this.element.append(body, createElement("span", "visually-hidden", texts.format("card.battery")), " ", this.#percent);
    this.element.hidden = true;
  }

  /**
   * Show the charge; nothing if the pillow sent none, or is not connected and the charge is old.
   *
   * @param {import("../client/frames.js").Pillow | undefined} pillow
   */
  render(pillow) {
    const charge = pillow?.battery;
    const text = pillow?.state === "notconnected" ? "" : this.#texts.percent(charge);
    this.element.hidden = text === "" || charge === undefined;
    if (text === "" || charge === undefined) return;
    setText(this.#percent, text);
    this.element.classList.toggle("low", charge < LOW);
    this.#charge.style.setProperty("--charge", String(charge));
  }
}
