/**
 * The gateway's stream as Server-Sent Events, with the interface of a WebSocket.
 *
 * For networks that block WebSockets, and for Node.js before 22, which has none. It uses `fetch`,
 * because `EventSource` hides why it was refused and reconnects by itself.
 */

/** Close code of a WebSocket for each HTTP status with which the gateway refuses for good. */
const REFUSAL_CODES = new Map([[400, 4400], [401, 4401], [403, 4403], [421, 4403]]);
/** Close code for each HTTP status that asks for a longer delay, whoever sends it. */
const DELAY_CODES = new Map([[429, 4429], [503, 1013]]);
const CONNECTION_LOST = 1006;
const MEDIA_TYPE = "text/event-stream";
/** Node.js before 20 tries only the first address of `localhost`, and that is often IPv6. */
const LOCALHOST = "localhost";

/** Splits a stream of text into the data of its events. */
export class SseParser {
  #rest = "";
  /** @type {string[]} */
  #data = [];

  /**
   * @param {string} text the next chunk; chunks may end anywhere
   * @returns {string[]} the data of each event that is complete now
   */
  push(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    const events = [];
    for (const line of lines.map((one) => one.replace(/\r$/, ""))) {
      if (line === "") {
        if (this.#data.length > 0) events.push(this.#data.join("\n"));
        this.#data = [];
      } else if (line.startsWith("data:")) {
        this.#data.push(line.slice(line[5] === " " ? 6 : 5));
      }
    }
    return events;
  }
}

/** One stream, from its request to its end. */
export class SseSocket {
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: unknown}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onerror = null;
  /** @type {((event: {code: number, reason: string, retryMs: number | undefined}) => void) | null} */
  onclose = null;

  #abort = new AbortController();

  /**
   * @param {string} address the WebSocket URL; the SSE endpoint is in the same folder
   * @param {typeof fetch} request
   * @param {() => Promise<string>} [token] returns the token, or "" without one
   */
  constructor(address, request, token) {
    const url = new URL(address);
    url.protocol = url.protocol.replace("ws", "http");
    url.pathname = url.pathname.replace(/ws$/, "events");
    // In a microtask, because the caller sets the handlers after the constructor.
    Promise.resolve().then(() => this.#read(url.href, request, token));
  }

  /** Do nothing: the client cannot send over SSE. @param {string} _text */
  send(_text) {}

  close() {
    this.#abort.abort();
  }

  /**
   * @param {string} url
   * @param {typeof fetch} request
   * @param {() => Promise<string>} [token]
   */
  async #read(url, request, token) {
    try {
      const response = await this.#request(new URL(url), request, token === undefined ? "" : await token());
      const fault = await faultOf(response, url);
      if (fault !== null || response.body === null) {
        const { code, reason } = fault ?? { code: CONNECTION_LOST, reason: "the response is empty" };
        // NaN for a date, which counts as nothing.
        this.#end(code, reason, 1000 * Number(response.headers.get("retry-after")));
        return;
      }
      this.onopen?.();
      await this.#dispatchEvents(response.body);
      this.#end(CONNECTION_LOST, "the stream ended");
    } catch (error) {
      this.#end(CONNECTION_LOST, errorText(error));
    }
  }

  /**
   * @param {URL} url
   * @param {typeof fetch} request
   * @param {string} token
   * @returns {Promise<Response>}
   */
  async #request(url, request, token) {
    /** @type {Record<string, string>} */
    const headers = { Accept: MEDIA_TYPE };
    if (token !== "") headers.Authorization = `Bearer ${token}`;
    const options = { headers, cache: /** @type {const} */ ("no-store"), signal: this.#abort.signal };
    try {
      return await request(url.href, options);
    } catch (error) {
      if (url.hostname !== LOCALHOST || !isRefusedOverIpv6(error)) throw error;
      url.hostname = "127.0.0.1";
      return request(url.href, options);
    }
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async #dispatchEvents(body) {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const data of parser.push(decoder.decode(value, { stream: true }))) this.onmessage?.({ data });
    }
  }

  /**
   * @param {number} code
   * @param {string} reason
   * @param {number} [retryMs] what the server asks to wait, in ms
   */
  #end(code, reason, retryMs) {
    if (!this.#abort.signal.aborted) this.onclose?.({ code, reason, retryMs });
  }
}

/**
 * The text of an error, with its cause: Node.js reports only "fetch failed" in the error itself.
 *
 * @param {any} error anything can be thrown
 */
function errorText(error) {
  const { message, code } = error?.cause ?? {};
  return [error?.message ?? String(error), message || code].filter(Boolean).join(": ");
}

/**
 * Whether nothing listens at the IPv6 loopback address, or the machine has none.
 *
 * @param {any} error anything can be thrown
 */
function isRefusedOverIpv6(error) {
  const { code, address } = error?.cause ?? {};
  return address === "::1" && /^(ECONNREFUSED|EADDRNOTAVAIL)$/.test(code);
}

/**
 * Why a response is no stream of events; null if it is one.
 *
 * Only the gateway's own problem document is its refusal. Any other response is from a server between,
 * or in place of the gateway, and may be another one at the next attempt.
 *
 * @param {Response} response
 * @param {string} url
 * @returns {Promise<{code: number, reason: string} | null>}
 */
async function faultOf(response, url) {
  const { status } = response;
  const mediaType = (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase();
  if (response.ok && mediaType === MEDIA_TYPE) return null;
  const document = mediaType === "application/problem+json" ? await problemOf(response) : null;
  if (!response.bodyUsed) response.body?.cancel().catch(() => {});
  const code = DELAY_CODES.get(status) ?? CONNECTION_LOST;
  if (document !== null) return { code: REFUSAL_CODES.get(status) ?? code, reason: `${document.title}: ${document.detail}` };
  return { code, reason: outageReason(response, mediaType, url.length) };
}

/**
 * The gateway's problem document; null if it is another server's.
 *
 * @param {Response} response
 * @returns {Promise<{title: string, detail: string} | null>}
 */
async function problemOf(response) {
  try {
    const { type, title, status, detail, ...others } = await response.json();
    const isOwn = type === "about:blank" && status === response.status && Object.keys(others).length === 0;
    return isOwn && typeof title === "string" && typeof detail === "string" ? { title, detail } : null;
  } catch {
    return null;
  }
}

/**
 * @param {Response} response
 * @param {string} mediaType
 * @param {number} chars length of the address
 */
function outageReason({ ok, status }, mediaType, chars) {
  const kind = mediaType || "a response without a type";
  if (ok && mediaType === "text/html") return `a web page (${status} ${kind}) came instead of events: a proxy may ask to sign in`;
  if (ok) return `${kind} came instead of events (HTTP ${status})`;
  if (status === 414 || status === 431) return `HTTP ${status}: the address has ${chars} characters; name fewer pillows, or let WebSockets through`;
  return `HTTP ${status}, not from the gateway`;
}
