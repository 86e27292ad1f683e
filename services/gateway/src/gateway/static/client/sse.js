/**
 * The gateway's stream as Server-Sent Events, with the interface of a WebSocket.
 *
 * For networks that block WebSockets, and for Node.js before 22, which has none. It uses `fetch`,
 * because `EventSource` hides why it was refused and reconnects by itself.
 */

/** Close code of a WebSocket for each HTTP status with which the gateway refuses. */
const CLOSE_CODES = new Map([[400, 4400], [401, 4401], [403, 4403], [429, 4429], [503, 1013]]);
const CONNECTION_LOST = 1006;

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
  /** @type {((event: {code: number, reason: string}) => void) | null} */
  onclose = null;

  #abort = new AbortController();

  /**
   * @param {string} address the WebSocket URL; the SSE endpoint is in the same folder
   * @param {typeof fetch} request
   */
  constructor(address, request) {
    const url = new URL(address);
    url.protocol = url.protocol.replace("ws", "http");
    url.pathname = url.pathname.replace(/ws$/, "events");
    // In a microtask, because the caller sets the handlers after the constructor.
    Promise.resolve().then(() => this.#read(url.href, request));
  }

  /** Do nothing: the client cannot send over SSE. @param {string} _text */
  send(_text) {}

  close() {
    this.#abort.abort();
  }

  /**
   * @param {string} url
   * @param {typeof fetch} request
   */
  async #read(url, request) {
    try {
      const headers = { Accept: "text/event-stream" };
      const response = await request(url, { headers, cache: "no-store", signal: this.#abort.signal });
      if (!response.ok || response.body === null) {
        this.#end(CLOSE_CODES.get(response.status) ?? CONNECTION_LOST, await refusalReason(response));
        return;
      }
      this.onopen?.();
      await this.#dispatchEvents(response.body);
      this.#end(CONNECTION_LOST, "the stream ended");
    } catch (error) {
      this.#end(CONNECTION_LOST, errorText(error));
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
   */
  #end(code, reason) {
    if (!this.#abort.signal.aborted) this.onclose?.({ code, reason });
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

/** The text of a problem document; the HTTP status without one. @param {Response} response */
async function refusalReason(response) {
  try {
    const { title, detail } = await response.json();
    return [title, detail].filter((one) => typeof one === "string").join(": ");
  } catch {
    return `HTTP ${response.status}`;
  }
}
