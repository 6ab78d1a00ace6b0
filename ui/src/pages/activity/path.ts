// Where more of an activity is shown.
import type { Activity, ActivityKind } from "../../api/schema";

const FOLDERS: Record<ActivityKind, string> = {
  backup: "backups",
  restore: "restores",
  check: "checks",
  cleanup: "cleanups",
  drill: "vault-tasks",
  copy: "vault-tasks",
  repair: "vault-tasks",
};

export function activityPath({ kind, id }: Pick<Activity, "kind" | "id">): string {
  return `/${FOLDERS[kind]}/${id}`;
}
