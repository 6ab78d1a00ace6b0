// A time: how far off it is, and on hover exactly when.
import { Tooltip } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { ago, exact, short } from "../format/time";

const listeners = new Set<() => void>();
let now = Date.now();
setInterval(() => {
  now = Date.now();
  for (const told of listeners) told();
}, 10_000);

function subscribe(told: () => void): () => void {
  listeners.add(told);
  return () => listeners.delete(told);
}

/** The time, as of some seconds ago. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

export function When({ at, absolute = false }: { at?: string | null; absolute?: boolean }) {
  const current = useNow();
  if (!at) return <span>–</span>;
  return (
    <Tooltip label={exact(at)} openDelay={300}>
      <time dateTime={at}>{absolute ? short(at) : ago(at, Math.max(current, Date.now()))}</time>
    </Tooltip>
  );
}
