/**
 * What people call their pillows: in a pillow's own messages, or else in the gateway's file. It is a text of
 * strangers.
 */

/** As the contract says. */
const MAX_CHARACTERS = 80;
/** What controls, begins a new line, or changes the order of the text around it. */
const CONTROLS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A label as it is shown; "" for none. Pure. @param {unknown} value */
export function cleanLabel(value) {
  if (typeof value !== "string") return "";
  const text = value.slice(0, 4 * MAX_CHARACTERS).replace(CONTROLS, " ").replace(/\s+/g, " ").trim();
  return [...text].slice(0, MAX_CHARACTERS).join("").trim();
}

export class Labels {
  /** Those of the gateway's file. @type {Map<string, string>} */
  #filed = new Map();
  /** Those in messages. @type {Map<string, string>} */
  #told = new Map();

  /** The label of a pillow; "" without one. @param {string} id */
  of(id) {
    return this.#told.get(id) ?? this.#filed.get(id) ?? "";
  }

  /** Whether any pillow has a label. */
  get isUsed() {
    return this.#told.size > 0 || this.#filed.size > 0;
  }

  /** What a pillow is called: its label, or its id. @param {string} id */
  nameOf(id) {
    return this.of(id) || id;
  }

  /**
   * Take the label of a pillow's newest message.
   *
   * @param {string} id
   * @param {unknown} value undefined without one
   * @returns {boolean} whether the pillow is called otherwise now
   */
  tell(id, value) {
    if (value === undefined && !this.#told.has(id)) return false;
    const before = this.of(id);
    const label = cleanLabel(value);
    if (label === "") this.#told.delete(id);
    else this.#told.set(id, label);
    return this.of(id) !== before;
  }

  /**
   * Take the labels of the gateway's file.
   *
   * @param {Record<string, unknown>} found
   * @returns {string[]} the pillows that it names, or named before
   */
  file(found) {
    const before = this.#filed;
    this.#filed = new Map(Object.entries(found).map(([id, value]) => [id, cleanLabel(value)]));
    return [...new Set([...before.keys(), ...this.#filed.keys()])];
  }
}

/**
 * Fetch the labels of the gateway's file.
 *
 * @param {URL} folder the gateway's
 * @param {string} token "" without one
 * @param {typeof fetch} [request] what a test replaces
 * @returns {Promise<Record<string, unknown> | null>} null if they could not be had
 */
export async function fetchLabels(folder, token, request = fetch) {
  try {
    const headers = token === "" ? undefined : { Authorization: `Bearer ${token}` };
    const response = await request(new URL("api/labels", folder), { headers });
    return response.ok ? ((await response.json()).labels ?? null) : null;
  } catch {
    return null;
  }
}
