// What the page knows of the server, and how events keep it true.
import { type InfiniteData, MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./call";
import type { Event, Metrics, Progress } from "./schema";

/** A page of any list. */
export interface AnyPage {
  items: unknown[];
  next?: string | null;
}

/** What else is shown of a noun's changes, and under which first word of a query's key. */
const RELATED: Record<string, string[]> = {
  agent: ["metric"],
  backup: ["activity", "vault", "machine"],
  restore: ["activity"],
  check: ["activity"],
  cleanup: ["activity", "vault"],
  machine: ["backend"],
  agent_machine: ["agent", "machine"],
  key_machine: ["key"],
  enrolment_token: ["agent"],
  trash: ["vault"],
  vault_task: ["activity", "vault"],
};
/** Changes of one noun are read again at most so often. */
const READ_AGAIN_MS = 700;
/** Series are read again as often as this even where their points are further apart: that asks for measurements, too. */
const LONGEST_STEP_S = 60;
/** Lists of more pages than this are mended in place instead of read again. */
const SHORT_LIST = 3;

/** The key of what says who is signed in. */
export const ME = ["session", "me"] as const;

/** Makes the page's memory. */
export function createCache(): QueryClient {
  const failed = (error: Error) => {
    if (error instanceof ApiError && error.isSignedOut) client.setQueryData(ME, null);
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: failed }),
    mutationCache: new MutationCache({ onError: failed }),
    defaultOptions: {
      queries: { staleTime: 30_000, refetchOnWindowFocus: false, retry: mayTryAgain, retryDelay: 1000 },
    },
  });
  return client;
}

function mayTryAgain(failures: number, error: Error): boolean {
  const passing = error instanceof ApiError && (error.status === 0 || error.status >= 502);
  return passing && failures < 3;
}

/** Brings events into the cache. */
export class Mender {
  private waiting = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly client: QueryClient) {}

  take(event: Event): void {
    if (event.what === "measure") return this.measured(event);
    if (event.progress) this.mend(event, event.progress);
    if (event.what === "progress") return;
    if (event.state) this.mend(event);
    for (const noun of [event.noun, ...(RELATED[event.noun] ?? [])]) this.waiting.add(noun);
    this.timer ??= setTimeout(() => this.readAgain(), READ_AGAIN_MS);
  }

  /** Something was missed: everything that is shown is read again. */
  resync(): void {
    void this.client.invalidateQueries();
  }

  /** An agent has measured its machine: series of it that have a new point by now are read again. */
  private measured(event: Event): void {
    void this.client.invalidateQueries({
      predicate: ({ queryKey, state }) => {
        const known = state.data as Metrics | undefined;
        if (queryKey[0] !== "metric" || !known || String(known.agent_id) !== event.id) return false;
        const fresh = Math.min(known.step_seconds, LONGEST_STEP_S) * 1000 - READ_AGAIN_MS;
        return Date.now() - state.dataUpdatedAt >= fresh;
      },
    });
  }

  private readAgain(): void {
    this.timer = undefined;
    const nouns = this.waiting;
    this.waiting = new Set();
    void this.client.invalidateQueries({
      predicate: ({ queryKey, state }) => nouns.has(String(queryKey[0])) && isShort(state.data),
    });
  }

  /** Puts the new state or progress of one thing wherever it is shown. */
  private mend(event: Event, progress?: Progress): void {
    const predicate = ({ queryKey }: { queryKey: readonly unknown[] }) =>
      queryKey[0] === event.noun || queryKey[0] === "activity";
    this.client.setQueriesData({ predicate }, (known: unknown) => mended(known, event, progress));
  }
}

function isShort(data: unknown): boolean {
  return !isInfinite(data) || data.pages.length <= SHORT_LIST;
}

function isInfinite(data: unknown): data is InfiniteData<AnyPage> {
  return typeof data === "object" && data !== null && "pages" in data;
}

/** The same data with the change in it. */
export function mended(known: unknown, event: Event, progress?: Progress): unknown {
  const item = (thing: unknown) => {
    if (!isNamed(thing, event)) return thing;
    const changed = { ...thing } as Record<string, unknown>;
    if (event.state && "state" in thing) changed.state = event.state;
    if (progress && "progress" in thing) changed.progress = progress;
    return changed;
  };
  if (isInfinite(known)) {
    const found = known.pages.some((page) => page.items.some((thing) => isNamed(thing, event)));
    if (!found) return known;
    return { ...known, pages: known.pages.map((page) => ({ ...page, items: page.items.map(item) })) };
  }
  return item(known);
}

function isNamed(thing: unknown, event: Event): thing is object {
  if (typeof thing !== "object" || thing === null || !("id" in thing)) return false;
  // Lists of activity hold several nouns whose ids say nothing of each other.
  const sameKind = !("kind" in thing) || !("vault_id" in thing) || thing.kind === event.noun;
  return sameKind && String(thing.id) === event.id;
}
