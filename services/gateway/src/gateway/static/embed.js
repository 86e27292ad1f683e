/**
 * `<cloud-pillow>`: one live cloud in any page.
 *
 *     <script type="module" src="https://pillows.example/embed.js"></script>
 *     <cloud-pillow pillow="cloud-1" src="https://pillows.example"></cloud-pillow>
 *
 * Without `src`, the gateway is the one that this script came from.
 */

import { define } from "./cloud/element.js";

define(new URL(".", import.meta.url).href);
