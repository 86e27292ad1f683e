/**
 * What the page knows beside the client's states: the route, the roster of pillows, and what has to be
 * rendered anew. Pure: no DOM, no clock.
 */

import { nameable } from "../client/options.js";
import { Labels } from "../cloud/labels.js";
import { MAX_DETAILED } from "./layout.js";
import { isReconnection } from "./reconnection.js";
import { Roster } from "./roster.js";

/** @typedef {import("../client/store.js").Update} Update */
/** @typedef {import("./route.js").Route} Route */
/** @typedef {string[] | "all"} Pillows */

export class PageState {
  /** @type {Route} */
  route;
  roster = new Roster();
  labels = new Labels();
  /** The pillows that the client subscribes to. @type {Pillows} */
  subscription;
  /** Pillows whose cards have to be rendered anew. @type {Set<string>} */
  changed = new Set();
  /** Up to this number of clouds each is drawn in detail: fewer on a slow device. */
  maxDetailed = MAX_DETAILED;
  /** Whether the order of the wall may be outdated. */
  isOrderStale = true;
  /** The pillows that the query string names; empty for all. @type {Set<string>} */
  #named;
  /** @type {Pillows} */
  #wallSubscription;
  /** Whether the visitor went from a pillow to the wall, which may know no other one yet. */
  #isWallWanted = false;

  /**
   * @param {string[]} named ids in the query string; only these are shown
   * @param {Route} route
   */
  constructor(named, route) {
    this.#named = new Set(named);
    this.route = route;
    this.#wallSubscription = named.length > 0 ? nameable(named) : "all";
    // A visitor of one pillow does not wait for the states of all others.
    this.subscription = route.pillow === null ? this.#wallSubscription : [route.pillow];
    for (const id of named) this.roster.add(id);
  }

  /**
   * Change the route. Once the client subscribes to the pillows of the wall, it stays so.
   *
   * @param {Route} route
   * @returns {Pillows | null} the new subscription; null if it does not change
   */
  navigate(route) {
    if (route.pillow === null && this.route.pillow !== null) this.#isWallWanted = true;
    this.route = route;
    const pillows = route.pillow !== null && this.subscription !== this.#wallSubscription ? [route.pillow] : this.#wallSubscription;
    if (String(pillows) === String(this.subscription)) return null;
    this.subscription = pillows;
    return pillows;
  }

  /** Apply an update of the client. @param {Update} update */
  apply(update) {
    const { id, pillow, previous } = update;
    if (this.subscription === "all" && this.#named.size > 0 && !this.#named.has(id)) return;
    this.changed.add(id);
    // Of a silent pillow the gateway speaks, which repeats its label as little as its battery.
    const isSilence = pillow?.state === "notconnected" && pillow.label === undefined;
    if (!isSilence && this.labels.tell(id, pillow?.label)) this.rename([id]);
    if (pillow === null && !this.#named.has(id)) this.roster.remove(id);
    else this.roster.add(id, this.labels.of(id));
    if (pillow?.state !== previous?.state || this.route.filter.order !== "name") this.isOrderStale = true;
  }

  /** Sort and show pillows by their present labels. @param {string[]} ids */
  rename(ids) {
    for (const id of ids) {
      this.roster.rename(id, this.labels.of(id));
      this.changed.add(id);
    }
    this.isOrderStale = true;
  }

  /** The pillow of the detail view: the route's, or the only one there is, unless
   * the visitor went from it to the wall; null for the wall, which in wall mode has also one. */
  get viewed() {
    const { ids } = this.roster;
    if (this.route.wall !== undefined) return null;
    return this.route.pillow ?? (ids.length === 1 && !this.#isWallWanted ? ids[0] : null);
  }

  /** Whether the detail view links to the wall, to which Escape leads too: not if the page is for this one pillow. */
  get hasBackLink() {
    return this.route.pillow !== null && !(this.#named.size === 1 && this.#named.has(this.route.pillow));
  }
}

/**
 * Whether the latency of an update is measured: not of a state that was true before.
 *
 * @param {Update} update
 * @param {boolean} isSnapshot
 */
export function hasLatency(update, isSnapshot) {
  return !isSnapshot && update.pillow !== null && update.pillow.state !== "notconnected" && !isReconnection(update);
}
