// The activities of the last 24 hours.
import { useOne } from "../../api/lists";
import type { Activity } from "../../api/schema";
import { useNow } from "../../components/When";

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Newest first; of a busy fleet the newest thousand. */
export function useLastDay() {
  const now = useNow();
  const found = useOne("activity", "/activity", { query: { limit: 1000 } });
  const data: Activity[] | undefined = found.data?.items.filter((run) => now - Date.parse(run.created_at) < DAY_MS);
  return { ...found, data };
}
