// What a run's state means for what can be done.
import type { RunState } from "../../api/schema";

const GOING: RunState[] = ["queued", "start_requested", "searching", "in_progress", "stop_requested"];

/** Whether a run has ended, however it did. */
export function isOver(state: RunState): boolean {
  return !GOING.includes(state);
}

/** Whether there is a report of it. */
export function hasReport(state: RunState): boolean {
  return state === "completed" || state === "completed_with_errors" || state === "failed";
}
