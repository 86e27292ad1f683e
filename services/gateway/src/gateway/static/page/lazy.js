/**
 * Parts of the page that are loaded when they are needed, so that the first response stays small.
 *
 * The element `body` names each part: `data-<name>` has the address of its entry module, and
 * `data-<name>-style` that of its style sheet, if it has one. The gateway replaces both by addresses of
 * its version, and bundles the module. A part shares no modules with the page: it gets what it needs as
 * arguments, and does nothing until it is called: of a response that was cut, Firefox may run what arrived.
 */

/** What could not be loaded is loaded again after this time, if it is needed then. */
const RETRY_MS = 30_000;

/** @type {Map<string, Promise<any>>} */
const loaded = new Map();
/** How often a part could not be loaded. @type {Map<string, number>} */
const failures = new Map();

/**
 * Load a part of the page once; after a failure the next call loads it again.
 *
 * @param {Document} document
 * @param {string} name for `story`, `data-story` has the address
 * @param {(address: string) => Promise<any>} [load] what a test replaces
 * @returns {Promise<any>} the exports of the entry module, once its style sheet applies; it is rejected if
 *   one of both cannot be loaded
 */
export function loadLater(document, name, load = (address) => import(address)) {
  const before = loaded.get(name);
  if (before !== undefined) return before;
  const part = loadPart(document, name, load);
  loaded.set(name, part);
  part.catch(() => {
    loaded.delete(name);
    failures.set(name, (failures.get(name) ?? 0) + 1);
  });
  return part;
}

/**
 * @param {Document} document
 * @param {string} name
 * @param {(address: string) => Promise<any>} load
 */
async function loadPart(document, name, load) {
  const { [name]: module = "", [`${name}Style`]: style } = document.body.dataset;
  const link = style === undefined ? null : document.createElement("link");
  try {
    const styled = link && applyStyle(document, link, addressOf(document, name, style ?? ""));
    const [exports] = await Promise.all([load(addressOf(document, name, module)), styled]);
    // Firefox takes a response that was cut for a whole one. The gateway puts these at the end of each.
    if (exports.$version === undefined) throw new Error(`${module} arrived incomplete.`);
    if (link !== null && [...(link.sheet?.cssRules ?? [])].at(-1)?.cssText.startsWith("#whole") !== true) throw new Error(`${style} arrived incomplete.`);
    return exports;
  } catch (error) {
    link?.remove();
    throw error;
  }
}

/** @param {Document} document @param {string} name @param {string} file */
function addressOf(document, name, file) {
  const address = new URL(file, document.baseURI);
  // A browser remembers that a module failed, so that the same address would fail for ever.
  const attempt = failures.get(name);
  if (attempt !== undefined) address.searchParams.set("attempt", String(attempt));
  return address.href;
}

/**
 * @param {Document} document
 * @param {HTMLLinkElement} link
 * @param {string} address
 * @returns {Promise<void>}
 */
function applyStyle(document, link, address) {
  link.rel = "stylesheet";
  link.href = address;
  return new Promise((resolve, reject) => {
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => reject(new Error(`The style sheet ${address} could not be loaded.`)));
    document.head.append(link);
  });
}

/**
 * A part of the page that is loaded when it is first needed.
 *
 * @template Part
 */
export class Later {
  /** null until it is loaded. @type {Part | null} */
  part = null;
  #name;
  #load;
  #now;
  #loadAt = -Infinity;

  /**
   * @param {string} name as that of `loadLater`, for a warning
   * @param {() => Promise<Part>} load
   * @param {() => number} now monotonic, in ms
   */
  constructor(name, load, now) {
    this.#name = name;
    this.#load = load;
    this.#now = now;
  }

  /** Load it, unless it is being loaded or has just failed. @param {(part: Part) => void} onLoaded */
  need(onLoaded) {
    if (this.#now() < this.#loadAt) return;
    this.#loadAt = Infinity;
    this.#load().then(
      (part) => {
        this.part = part;
        onLoaded(part);
      },
      (error) => {
        this.#loadAt = this.#now() + RETRY_MS;
        console.warn(`The part "${this.#name}" of the page could not be loaded: ${error.message}`);
      },
    );
  }
}
