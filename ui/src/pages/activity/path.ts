// Where more of an activity is shown; checks and cleanups have no page of their own.
import type { Activity } from "../../api/schema";

const TASKS = new Set(["drill", "copy", "repair"]);

export function activityPath(activity: Pick<Activity, "kind" | "id">): string | undefined {
  if (activity.kind === "backup") return `/backups/${activity.id}`;
  if (activity.kind === "restore") return `/restores/${activity.id}`;
  if (TASKS.has(activity.kind)) return `/vault-tasks/${activity.id}`;
  return undefined;
}
