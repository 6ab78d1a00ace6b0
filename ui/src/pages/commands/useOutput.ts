// What a command prints, as it comes: each question waits at the server until there is more, so nothing is polled.
import { useEffect, useState } from "react";
import { get } from "../../api/call";
import type { CommandOutput } from "../../api/schema";
import { keepNewest } from "./newest";

const WAIT_SECONDS = 25;
/** After a failure, such as a server that is started anew. */
const AGAIN_MS = 2_000;

/** The newest output of a command, of one machine or of all. */
export function useOutput(id: string, machine: string | null): { pieces: CommandOutput[]; cut: boolean } {
  const [kept, setKept] = useState<{ pieces: CommandOutput[]; cut: boolean }>({ pieces: [], cut: false });
  useEffect(() => {
    const end = new AbortController();
    setKept({ pieces: [], cut: false });
    void follow(id, machine, end.signal, (more) =>
      setKept((known) => keepNewest([...known.pieces, ...more], known.cut)),
    );
    return () => end.abort();
  }, [id, machine]);
  return kept;
}

async function follow(
  id: string,
  machine: string | null,
  signal: AbortSignal,
  tell: (pieces: CommandOutput[]) => void,
): Promise<void> {
  let cursor: string | undefined;
  while (!signal.aborted) {
    try {
      const query = { cursor, machine_id: machine, wait_seconds: WAIT_SECONDS, limit: 1000 };
      const { items } = await get("/commands/{id}/output", { path: { id }, query, signal });
      const last = items.at(-1);
      if (last) {
        cursor = String(last.number);
        tell(items);
        continue;
      }
      // Nothing came: the time was up, or it has ended and all was read.
      const { completed_at } = await get("/commands/{id}", { path: { id }, signal });
      if (completed_at) return;
    } catch {
      await new Promise((go) => setTimeout(go, AGAIN_MS));
    }
  }
}
