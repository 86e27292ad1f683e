// A program as its author would write it: only the published types are known to it.
import { connect, journey, type ChangeEvent, type EventName, type Pillow, type State, type Update } from "pillowcast";

/** As the package `ws` declares its class: overloaded, with events of its own. */
declare class OtherSocket {
  constructor(address: null);
  constructor(address: string | URL, options?: { origin?: string });
  constructor(address: string | URL, protocols?: string | string[], options?: { origin?: string });
  onopen: ((event: { type: string; target: OtherSocket }) => void) | null;
  onerror: ((event: { error: unknown; message: string; target: OtherSocket }) => void) | null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null;
  onmessage: ((event: { data: string | Uint8Array; type: string }) => void) | null;
  send(data: string, callback?: (error?: Error) => void): void;
  close(code?: number, data?: string): void;
}

const stop = new AbortController();
const clouds = connect({ url: "https://pillows.example", pillows: ["cloud-1"], signal: stop.signal });

clouds.addEventListener("change", ({ detail }) => {
  const states: string[] = detail.updates.map(({ pillow }) => pillow?.state ?? "removed");
  const sent: number | null = detail.sent;
  console.log(states, detail.changed.length, detail.removed.length, detail.isSnapshot, sent);
});
clouds.addEventListener("connection", ({ detail }) => {
  const how: "connecting" | "live" | "broker-offline" | "disconnected" = detail.connection;
  console.log(how, detail.since, clouds.status.retryAt);
});
clouds.addEventListener("change", ({ detail: { updates, sent } }) => {
  for (const { pillow } of updates) {
    if (pillow !== null) console.log(journey(pillow, { forwarded: sent, shown: clouds.now(), queueOffsetMs: clouds.queueOffsetMs })?.ms);
  }
});
clouds.addEventListener("watching", ({ detail }) => console.log((detail.watching ?? 0) + (clouds.watching ?? 0)));
clouds.addEventListener("fault", ({ detail }) => console.warn(detail.message));
const listener = ({ detail }: ChangeEvent) => console.log(detail.isResumed, clouds.cursor);
clouds.addEventListener("change", listener, { once: true });
clouds.removeEventListener("change", listener);
connect({ url: "https://pillows.example", cursor: clouds.cursor, clock: () => Date.now() }).close();
connect({ url: "https://pillows.example", WebSocket, fetch, timers: { setTimeout, clearTimeout } }).close();
connect({ url: "https://pillows.example", WebSocket: null, events: null }).close();
connect({ url: "https://pillows.example", WebSocket: OtherSocket }).close();
for await (const update of clouds) {
  const { pillow, cursor }: Update = update;
  const now: Pillow | null = pillow;
  const resumeFrom: string | null = cursor;
  console.log(resumeFrom);
  if (now !== null) console.log(journey(now, { forwarded: null, shown: clouds.now(), queueOffsetMs: 0 })?.ms, update);
  // @ts-expect-error a state is no number
  const wrong: number | undefined = now?.state;
}
{
  // Handles of one connection, each with its own end, and what may be functions.
  using one = clouds.watch("cloud-1");
  await using two = clouds.watch(["cloud-2"], { signal: stop.signal, onChange: ({ detail }) => console.log(detail.sent) });
  const faults: number = (await one.ready).faults + two.faults;
  connect({ url: async () => new URL("https://pillows.example"), token: async () => `${faults}`, share: false }).close();
  connect({ url: () => "https://pillows.example", pillows: "all" }).close();
}
{
  using other = await connect({ url: "https://pillows.example" }).ready;
  await using another = connect({ url: new URL("https://pillows.example") });
  const state: State | undefined = other.pillows.get("cloud-1")?.state;
  const type: EventName = "fault";
  another.addEventListener(type, { handleEvent: ({ detail }) => console.log(detail) });
  // @ts-expect-error a state that no pillow has
  console.log(state === "huging");
  // @ts-expect-error an event that no client fires
  other.addEventListener("chnage", () => {});
  // @ts-expect-error an option that no client has
  connect({ pillow: "cloud-1" });
}
