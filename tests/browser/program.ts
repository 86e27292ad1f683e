// A program as its author would write it: only the published types are known to it.
import { connect, journey, type ChangeEvent, type Pillow, type Update } from "pillowcast";

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
clouds.addEventListener("fault", ({ detail }) => console.warn(detail.message));
const listener = ({ detail }: ChangeEvent) => console.log(detail.isResumed, clouds.cursor);
clouds.addEventListener("change", listener, { once: true });
clouds.removeEventListener("change", listener);
connect({ url: "https://pillows.example", cursor: clouds.cursor, clock: () => Date.now() }).close();
for await (const update of clouds) {
  const { pillow, cursor }: Update = update;
  const now: Pillow | null = pillow;
  const resumeFrom: string | null = cursor;
  console.log(resumeFrom);
  if (now !== null) console.log(journey(now, { forwarded: clouds.now(), shown: clouds.now() })?.ms, update);
  // @ts-expect-error a state is no number
  const wrong: number | undefined = now?.state;
}
