/**
 * The client as a gateway serves it: `url` defaults to the gateway that served this module.
 * client/pillowcast.js documents the client.
 */

import { setHome } from "./client/gateway_url.js";

export { connect, FrameError, instant, isPillowId, journey, Pillowcast, quantile, RefusedError } from "./client/pillowcast.js";

setHome(new URL(".", import.meta.url).href);
