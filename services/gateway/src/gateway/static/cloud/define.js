/**
 * The entry `pillowcast/element` of the npm package: defines `<cloud-pillow>` where there are custom elements,
 * and nothing on a server. An element without `src` uses the gateway that served the page.
 */

import { CloudPillow, define } from "./element.js";

define();

export { CloudPillow, define };
