// The event stream: one connection for all tabs of a browser.
//
// The tab that holds a lock reads the stream and tells the others. When it closes, the next one takes over. Where
// the browser has no locks (plain HTTP beyond this machine) each tab reads for itself.
import { ApiError, urlOf } from "./call";
import { MessageReader } from "./messages";
import type { Event } from "./schema";

/** What the stream tells. */
export type News =
  | { kind: "event"; event: Event }
  | { kind: "resync" }
  | { kind: "link"; up: boolean }
  | { kind: "signed_out" };

const CHANNEL = "roadstead-events";
/** Heartbeats come every 15 seconds; silence for longer is a dead line. */
const SILENCE_MS = 40_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** Listens until `signal` says stop. */
export function listen(tell: (news: News) => void, signal: AbortSignal): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (message: MessageEvent<News>) => tell(message.data);
  signal.addEventListener("abort", () => channel.close());
  const lead = () =>
    read((news) => {
      tell(news);
      if (!signal.aborted) channel.postMessage(news);
    }, signal);
  if (navigator.locks) {
    navigator.locks.request(CHANNEL, { signal }, lead).catch(() => undefined);
  } else {
    void lead();
  }
}

async function read(tell: (news: News) => void, signal: AbortSignal): Promise<void> {
  let place: string | undefined;
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    try {
      await connect(place, signal, (message) => {
        place = message.id ?? place;
        wait = FIRST_WAIT_MS;
        if (message.name === "ready") tell({ kind: "link", up: true });
        else if (message.name === "resync") {
          tell({ kind: "link", up: true });
          tell({ kind: "resync" });
        } else tell({ kind: "event", event: JSON.parse(message.data) });
      });
    } catch (error) {
      if (error instanceof ApiError && error.isSignedOut) return tell({ kind: "signed_out" });
    }
    if (signal.aborted) return;
    tell({ kind: "link", up: false });
    await new Promise((go) => setTimeout(go, wait));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
}

async function connect(
  place: string | undefined,
  signal: AbortSignal,
  told: (message: { id?: string; name: string; data: string }) => void,
): Promise<void> {
  const silence = new AbortController();
  const giveUp = () => silence.abort();
  let timer = setTimeout(giveUp, SILENCE_MS);
  const headers: Record<string, string> = place ? { "last-event-id": place } : {};
  try {
    const either = AbortSignal.any([signal, silence.signal]);
    const response = await fetch(urlOf("/events"), { headers, signal: either, credentials: "same-origin" });
    if (!response.ok || !response.body)
      throw new ApiError(response.status, "stream", "There is no event stream.");
    const reader = new MessageReader();
    const texts = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await texts.read(); !piece.done; piece = await texts.read()) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, SILENCE_MS);
      for (const message of reader.push(piece.value)) told(message);
    }
  } finally {
    clearTimeout(timer);
  }
}
