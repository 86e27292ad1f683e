/**
 * Pillowcast's client, as this gateway serves it: the gateway is the one it came from, unless
 * `url` names another.  What it can do is said in client/pillowcast.js.
 */

import { Pillowcast as Client } from "./client/pillowcast.js";

export { FrameError, instant, isPillowId, journey, quantile, RefusedError } from "./client/pillowcast.js";

const HOME = new URL(".", import.meta.url).href;

/** A client of this gateway. */
export class Pillowcast extends Client {
  /** @param {ConstructorParameters<typeof Client>[0]} [options] */
  constructor(options) {
    super({ url: HOME, ...options });
  }
}

/** Make a client and connect it. @param {ConstructorParameters<typeof Client>[0]} [options] */
export function connect(options) {
  return new Pillowcast(options).open();
}
