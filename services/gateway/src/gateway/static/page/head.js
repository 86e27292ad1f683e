/**
 * What the page does before its modules are loaded. The gateway puts it into the head as a classic script, because a
 * module would run only after the document is parsed.
 */

import { preconnect } from "./preconnect.js";
import { reloadIfIncomplete } from "./reload_incomplete.js";

preconnect();
reloadIfIncomplete(document, location, (callback, ms) => setTimeout(callback, ms));
