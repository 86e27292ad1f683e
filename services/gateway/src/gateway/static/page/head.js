/**
 * What the page does before its modules are loaded. The gateway puts it into the head as a classic script, because a
 * module would run only after the document is parsed.
 */

import { fetchPage } from "./fetch_page.js";
import { preconnect } from "./preconnect.js";
import { reloadIfIncomplete } from "./reload_incomplete.js";

const later = (/** @type {() => void} */ callback, /** @type {number} */ ms) => setTimeout(callback, ms);
reloadIfIncomplete(document, location, later, () => fetchPage(location.href));
preconnect();
