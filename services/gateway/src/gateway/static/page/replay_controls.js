/** The controls of the past: how far back, play, the speed, and what is shown in words. */

import { createElement, setText } from "../cloud/dom.js";
import { SPANS } from "./spans.js";
import { speedText } from "./story_words.js";

/**
 * @typedef {object} Controls what the controls tell
 * @property {(name: string) => void} onSpan
 * @property {() => void} onPlay play or pause
 * @property {(speed: number) => void} onSpeed
 * @property {() => void} onCloser look closer at the time that is shown
 * @property {() => void} onNow back to now
 */

export class ReplayControls {
  /** Title, and how far back. */
  head = createElement("div", "history-head");
  /** Play, speed, and what is shown. */
  bar = createElement("div", "replay-bar");
  #title = createElement("h3");
  /** @type {Map<string, HTMLInputElement>} */
  #spans = new Map();
  #play = createElement("button", "replay-play");
  #playText = createElement("span");
  #speed = createElement("select");
  #readout = createElement("p", "replay-readout");
  #closer = createElement("button", "replay-button");
  #now = createElement("button", "replay-button");
  #texts;
  /** The speeds that the element has. @type {readonly number[]} */
  #speeds = [];

  /**
   * @param {import("../cloud/texts.js").Texts} texts
   * @param {Controls} controls
   */
  constructor(texts, controls) {
    this.#texts = texts;
    this.#title.id = "history-title";
    this.#speed.id = "replay-speed";
    this.#speed.setAttribute("aria-label", texts.format("story.speed-label"));
    this.#play.id = "replay-play";
    this.#now.id = "back-to-now";
    this.#play.type = this.#closer.type = this.#now.type = "button";
    this.#play.append(createElement("span", "replay-icon"), this.#playText);
    setText(this.#closer, texts.format("story.closer"));
    setText(this.#now, texts.format("story.back-to-now"));
    this.#play.addEventListener("click", () => controls.onPlay());
    this.#closer.addEventListener("click", () => controls.onCloser());
    this.#now.addEventListener("click", () => {
      // The button vanishes with the click.
      this.#play.focus();
      controls.onNow();
    });
    this.#speed.addEventListener("change", () => controls.onSpeed(Number(this.#speed.value)));
    this.head.append(this.#title, this.#createSpans(controls));
    this.bar.append(this.#play, this.#speed, this.#readout, this.#closer, this.#now);
  }

  /**
   * @param {object} view
   * @param {string} view.title
   * @param {string} view.span the chosen one; another name than those for none
   * @param {boolean} view.isPlaying
   * @param {readonly number[]} view.speeds
   * @param {number} view.speed
   * @param {string} view.readout what is shown, or a note
   * @param {boolean} view.isNote
   * @param {boolean} view.isNow
   * @param {boolean} view.canLookCloser
   */
  render({ title, span, isPlaying, speeds, speed, readout, isNote, isNow, canLookCloser }) {
    setText(this.#title, title);
    for (const [name, input] of this.#spans) input.checked = name === span;
    this.#play.dataset.playing = String(isPlaying);
    setText(this.#playText, this.#texts.format(isPlaying ? "story.pause" : "story.play"));
    this.#renderSpeeds(speeds);
    this.#speed.value = String(speed);
    setText(this.#readout, readout);
    this.#readout.classList.toggle("is-note", isNote);
    this.#closer.hidden = !canLookCloser;
    this.#now.hidden = isNow;
  }

  /** @param {Controls} controls */
  #createSpans({ onSpan }) {
    const group = createElement("div", "spans");
    group.id = "history-span";
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", this.#texts.format("story.span"));
    for (const { name } of SPANS) {
      const label = createElement("label");
      const input = createElement("input");
      input.type = "radio";
      input.name = "history-span";
      input.value = name;
      input.addEventListener("change", () => onSpan(name));
      label.append(input, createElement("span", "", this.#texts.format(`story.span-${name}`)));
      this.#spans.set(name, input);
      group.append(label);
    }
    return group;
  }

  /** @param {readonly number[]} speeds */
  #renderSpeeds(speeds) {
    if (speeds === this.#speeds) return;
    this.#speeds = speeds;
    const options = [...speeds].sort((one, other) => one - other).map((speed) => {
      const option = createElement("option", "", speedText(speed, this.#texts));
      option.value = String(speed);
      return option;
    });
    this.#speed.replaceChildren(...options);
  }
}
