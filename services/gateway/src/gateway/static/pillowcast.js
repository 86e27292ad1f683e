/**
 * The client as a gateway serves it: `url` defaults to the gateway that served this module.
 * client/pillowcast.js documents the client.
 */

import { checkOptions } from "./client/options.js";
import { Pillowcast as Client } from "./client/pillowcast.js";

export { FrameError, instant, isPillowId, journey, quantile, RefusedError } from "./client/pillowcast.js";

const HOME = new URL(".", import.meta.url).href;

/** A client of this gateway. */
export class Pillowcast extends Client {
  /** @param {ConstructorParameters<typeof Client>[0]} [options] */
  constructor(options = {}) {
    super({ ...checkOptions(options), url: options.url ?? HOME });
  }
}

/** Create a client and connect it. @param {ConstructorParameters<typeof Client>[0]} [options] */
export function connect(options) {
  return new Pillowcast(options).open();
}
