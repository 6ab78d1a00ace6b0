// Which of the last runs need somebody: those that went wrong, and were not made good since.
import type { Activity, RunState } from "../../api/schema";

const WRONG: ReadonlySet<RunState> = new Set(["failed", "completed_with_errors", "missed"]);
/** Tell nothing of how things stand: they did not begin, or somebody ended them. */
const NO_WORD: ReadonlySet<RunState> = new Set([
  ...(["queued", "start_requested", "searching", "in_progress", "stop_requested"] as const),
  ...(["cancelled", "skipped"] as const),
]);

/** Of each thing that runs again and again the newest run that has ended, if that one went wrong. */
export function troubling(newestFirst: Activity[]): Activity[] {
  const seen = new Set<string>();
  return newestFirst.filter((run) => {
    if (NO_WORD.has(run.state)) return false;
    const of = `${run.kind} ${run.configuration_id ?? run.vault_id}`;
    const isNewest = !seen.has(of);
    seen.add(of);
    return isNewest && WRONG.has(run.state);
  });
}
