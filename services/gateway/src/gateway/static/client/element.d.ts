/** `<cloud-pillow>`: one live cloud in any page. Importing the module defines it; a server may import it too. */

import type { Pillow, PillowFreshness, State } from "./types/pillowcast.js";

/** What the element shows: a pillow's state, or that none is known. A newer gateway may have more states. */
export type ShownState = State | "unknown";

/** The attributes of the element, as in HTML. */
export interface CloudPillowAttributes {
  /** The id of the pillow. */
  pillow?: string;
  /** The URL of the gateway, as `https://host/`; by default the one that served the script or the page. */
  src?: string;
  /** The name that is shown instead of the id; empty for none. */
  label?: string;
  /** A token, or a share link's token, for a gateway that asks for one. */
  token?: string;
}

/** Detail of `statechange`. */
export interface StateChange {
  pillow: string;
  state: ShownState;
  previous: ShownState;
  fresh: PillowFreshness;
  value: Pillow | null;
}

/** `state` or `fresh` has changed; it bubbles out of shadow roots. */
export type StateChangeEvent = CustomEvent<StateChange>;

export interface CloudPillowEventMap extends HTMLElementEventMap {
  statechange: StateChangeEvent;
}

export class CloudPillow extends HTMLElement {
  static readonly observedAttributes: string[];
  /** The id of the pillow that is shown. */
  pillow: string;
  /** The URL of the gateway; "" for the default. */
  src: string;
  /** The name that is shown; the pillow's id by default. */
  label: string;
  /** The token for a gateway that asks for one; "" without. */
  token: string;
  /** The pillow's state; `unknown` before the first update. */
  readonly state: ShownState;
  /** Freshness of the state. */
  readonly fresh: PillowFreshness;
  /** The whole state as the gateway sent it; null before the first update. */
  readonly value: Pillow | null;
  addEventListener<K extends keyof CloudPillowEventMap>(
    type: K,
    listener: (this: CloudPillow, event: CloudPillowEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof CloudPillowEventMap>(
    type: K,
    listener: (this: CloudPillow, event: CloudPillowEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

/**
 * Define the element, once; without effect on a server.
 *
 * @param url the gateway of elements without `src`; the one that served the page by default
 */
export function define(url?: string): void;

declare global {
  interface HTMLElementTagNameMap {
    "cloud-pillow": CloudPillow;
  }
}
