// A queue service in memory: the REST calls of a consumer, each O(1).
// It checks no signature and persists nothing. It exists because the cost of a request to Azurite
// grows with the number of messages.
//
//   node bench/poller/queue_double.mjs PORT DELAY_MS [JITTER_MS]
//
// DELAY_MS is added to every response, as a round trip to a data centre would add it.
// Up to JITTER_MS pass before a Get is served, and as many again before its response is sent, so
// that requests sent together are served, and answered, in any order.

import { randomUUID } from "node:crypto";
import http from "node:http";

const [port, delayMs, jitterMs = 0] = process.argv.slice(2).map(Number);
const queues = new Map();

class Queue {
  constructor() {
    this.messages = new Map();
    this.visible = [];
    this.head = 0;
    this.hidden = [];
    this.hiddenHead = 0;
  }

  put(text) {
    const message = { id: randomUUID(), text, queued: new Date().toUTCString(), count: 0, receipt: "", until: 0 };
    this.messages.set(message.id, message);
    this.visible.push(message);
    return message;
  }

  // All leases of a run are equally long, so the message hidden first is visible first.
  #endLeases(now) {
    while (this.hiddenHead < this.hidden.length && this.hidden[this.hiddenHead].until <= now) {
      const { message, until } = this.hidden[this.hiddenHead++];
      if (this.messages.has(message.id) && message.until === until) this.visible.push(message);
    }
  }

  hide(message, until) {
    message.until = until;
    message.receipt = randomUUID();
    this.hidden.push({ message, until });
  }

  get(limit, visibleAfterS) {
    const now = Date.now();
    this.#endLeases(now);
    const page = [];
    while (page.length < limit && this.head < this.visible.length) {
      const message = this.visible[this.head++];
      if (!this.messages.has(message.id)) continue;
      message.count += 1;
      this.hide(message, now + visibleAfterS * 1000);
      page.push(message);
    }
    if (this.head > 10000) this.visible = this.visible.slice(this.head), (this.head = 0);
    if (this.hiddenHead > 10000) this.hidden = this.hidden.slice(this.hiddenHead), (this.hiddenHead = 0);
    return page;
  }
}

const escaped = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const toXml = (text) => text.replace(/[&<>]/g, (character) => escaped[character]);
const fromXml = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
const expiry = new Date(Date.now() + 7 * 86400e3).toUTCString();

function pageXml(page) {
  let xml = '<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>';
  for (const { id, text, queued, count, receipt, until } of page) {
    xml +=
      `<QueueMessage><MessageId>${id}</MessageId><InsertionTime>${queued}</InsertionTime>` +
      `<ExpirationTime>${expiry}</ExpirationTime><PopReceipt>${receipt}</PopReceipt>` +
      `<TimeNextVisible>${new Date(until).toUTCString()}</TimeNextVisible>` +
      `<DequeueCount>${count}</DequeueCount><MessageText>${toXml(text)}</MessageText></QueueMessage>`;
  }
  return xml + "</QueueMessagesList>";
}

function respond(request, body) {
  const url = new URL(request.url, "http://queue");
  const [, , name, , id] = url.pathname.split("/");
  const query = url.searchParams;
  const queue = queues.get(name);
  if (request.method === "PUT" && id === undefined) {
    if (queue === undefined) queues.set(name, new Queue());
    return [queue === undefined ? 201 : 204];
  }
  if (queue === undefined) return [404, "", { "x-ms-error-code": "QueueNotFound" }];
  if (query.get("comp") === "metadata") {
    return [200, "", { "x-ms-approximate-messages-count": String(queue.messages.size) }];
  }
  if (request.method === "GET") {
    const page = queue.get(Number(query.get("numofmessages") ?? 1), Number(query.get("visibilitytimeout") ?? 30));
    return [200, pageXml(page), { "content-type": "application/xml" }];
  }
  if (request.method === "POST") {
    // An extension: with ?lines, each line of the body is a message, so that a bench fills the queue fast.
    const texts = query.has("lines") ? body.split("\n") : [fromXml(/<MessageText>([^]*)<\/MessageText>/.exec(body)[1])];
    const put = texts.map((text) => queue.put(text));
    return [201, pageXml(put.slice(-1)), { "content-type": "application/xml" }];
  }
  const message = queue.messages.get(id);
  if (message === undefined) return [404, "", { "x-ms-error-code": "MessageNotFound" }];
  if (message.receipt !== query.get("popreceipt")) return [400, "", { "x-ms-error-code": "PopReceiptMismatch" }];
  if (request.method === "DELETE") {
    queue.messages.delete(id);
    return [204];
  }
  queue.hide(message, Date.now() + Number(query.get("visibilitytimeout")) * 1000);
  return [204, "", { "x-ms-popreceipt": message.receipt, "x-ms-time-next-visible": new Date(message.until).toUTCString() }];
}

const server = http.createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (piece) => (body += piece));
  request.on("end", () => {
    const jitter = request.method === "GET" && request.url.includes("/messages") ? jitterMs : 0;
    const after = (ms, run) => (ms ? setTimeout(run, ms) : run());
    const serve = () => {
      const [status, text = "", headers = {}] = respond(request, body);
      const send = () => {
        response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(text), "x-ms-version": request.headers["x-ms-version"] ?? "" });
        response.end(text);
      };
      after(delayMs + jitter * Math.random(), send);
    };
    after(jitter * Math.random(), serve);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(port, "127.0.0.1", () => console.log("listening"));
