/**
 * The gateway's stream as Server-Sent Events, with a WebSocket's face.
 *
 * For networks that let no WebSocket through, and for Node.js before 22, which has none.  It is
 * read with `fetch`, because `EventSource` hides why it was refused and cannot be told to stop.
 */

/** How the gateway refuses over HTTP, as the codes it closes a WebSocket with. */
const CODES = new Map([[400, 4400], [401, 4401], [403, 4403], [429, 4429], [503, 1013]]);
const LOST = 1006;

/** Splits a stream of text into the data of its events; pure but for what it has kept. */
export class EventParser {
  #rest = "";
  /** @type {string[]} */
  #data = [];

  /**
   * @param {string} text the next piece, cut anywhere
   * @returns {string[]} the data of each event that is whole now
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
export class EventStream {
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
   * @param {string} address of the WebSocket; the events are beside it
   * @param {typeof fetch} get
   */
  constructor(address, get) {
    const url = new URL(address);
    url.protocol = url.protocol.replace("ws", "http");
    url.pathname = url.pathname.replace(/ws$/, "events");
    // Not before the listeners are there.
    Promise.resolve().then(() => this.#read(url.href, get));
  }

  /** Events go one way. @param {string} _text */
  send(_text) {}

  close() {
    this.#abort.abort();
  }

  /**
   * @param {string} url
   * @param {typeof fetch} get
   */
  async #read(url, get) {
    try {
      const headers = { Accept: "text/event-stream" };
      const answer = await get(url, { headers, cache: "no-store", signal: this.#abort.signal });
      if (!answer.ok || answer.body === null) {
        this.#end(CODES.get(answer.status) ?? LOST, await why(answer));
        return;
      }
      this.onopen?.();
      await this.#pump(answer.body);
      this.#end(LOST, "the stream ended");
    } catch (fault) {
      this.#end(LOST, troubleOf(fault));
    }
  }

  /** @param {ReadableStream<Uint8Array>} body */
  async #pump(body) {
    const parser = new EventParser();
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

/** What went wrong; Node.js says only in the cause of its "fetch failed". @param {any} fault */
function troubleOf(fault) {
  const { message, code } = fault?.cause ?? {};
  return [fault?.message ?? String(fault), message || code].filter(Boolean).join(": ");
}

/** What a problem document says. @param {Response} answer */
async function why(answer) {
  try {
    const { title, detail } = await answer.json();
    return [title, detail].filter((one) => typeof one === "string").join(": ");
  } catch {
    return `HTTP ${answer.status}`;
  }
}
