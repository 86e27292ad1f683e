/**
 * Defines `<cloud-pillow>`: one live cloud in any page.
 *
 *     <script type="module" src="https://pillows.example/embed.js"></script>
 *     <cloud-pillow pillow="cloud-1" src="https://pillows.example"></cloud-pillow>
 *
 * An element without `src` uses the gateway that served this script.
 */

import { define } from "./cloud/element.js";

define(new URL(".", import.meta.url).href);
