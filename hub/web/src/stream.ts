import { reactive, readonly } from "vue";

import { got, hub, onSignedOut } from "./api/client";

export interface Change {
  kind: "alert" | "gateway" | "device" | "unit" | "rejected";
  subject: string;
  what: string;
  at: string;
}

type Listener = { change(change: Change): void; reset(): void };

const KINDS = ["alert", "gateway", "device", "unit", "rejected"] as const;
const state = reactive({ isLive: false, wasLive: false, since: Date.now() });
/** Whether the page hears of changes as they happen, since when that is so, and whether it ever did. */
export const live = readonly(state);

const listeners = new Set<Listener>();
let source: EventSource | null = null;
let lastId = "";
let retry: ReturnType<typeof setTimeout> | undefined;
let waits = 0;

function setLive(isLive: boolean): void {
  if (state.isLive !== isLive) Object.assign(state, { isLive, wasLive: state.wasLive || isLive, since: Date.now() });
}

function open(): void {
  clearTimeout(retry);
  source?.close();
  // The browser repeats Last-Event-ID by itself only for its own reconnects; after an error that it calls final we do.
  source = new EventSource(lastId ? `/api/v1/stream?after=${lastId}` : "/api/v1/stream");
  source.addEventListener("hello", (event) => {
    lastId = event.lastEventId;
    waits = 0;
    setLive(true);
  });
  source.addEventListener("reset", (event) => {
    lastId = event.lastEventId;
    waits = 0;
    setLive(true);
    listeners.forEach((listener) => listener.reset());
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, (event) => {
      lastId = event.lastEventId;
      const change = JSON.parse(event.data as string) as Change;
      listeners.forEach((listener) => listener.change(change));
    });
  }
  source.onerror = () => {
    setLive(false);
    source?.close();
    source = null;
    waits += 1;
    // The browser hides why a stream failed: a session that has ended looks like a network that is away.
    if (waits === 2) void askWhoIAm();
    retry = setTimeout(open, Math.min(500 * 2 ** waits, 15_000) * (0.5 + Math.random() / 2));
  };
}

async function askWhoIAm(): Promise<void> {
  try {
    if (!(await got(hub.GET("/api/v1/session")))) onSignedOut.run();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

function close(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
  setLive(false);
  state.wasLive = false;
}

if (typeof window !== "undefined") {
  // A page that was asleep or offline comes back at once, not after its back-off.
  window.addEventListener("online", () => {
    if (listeners.size) open();
  });
  window.addEventListener("offline", () => setLive(false));
}

/** Hear of changes until the returned function is called. What was missed while away is told on return. */
export function follow(listener: Listener): () => void {
  listeners.add(listener);
  if (!source) open();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) close();
  };
}
