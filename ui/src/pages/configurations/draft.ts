// A configuration in the editor.
import type { BackupConfiguration, NewBackupConfiguration } from "../../api/schema";

export type Draft = Required<
  Pick<NewBackupConfiguration, "inclusions" | "exclusions" | "retention" | "schedule" | "timezone">
> & {
  name: string;
  agent_id: number | null;
  missed: BackupConfiguration["missed"];
  spread_minutes: number;
  notification_email: string;
  notify_failure: boolean;
  notify_success: boolean;
};

/** What a new one begins with. */
export function newDraft(agent: number | null): Draft {
  return {
    name: "",
    agent_id: agent,
    inclusions: [],
    exclusions: [],
    schedule: "daily@03:00",
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
    retention: { keep_daily: 7, keep_weekly: 4, keep_monthly: 12 },
    missed: "asap",
    spread_minutes: 0,
    notification_email: "",
    notify_failure: false,
    notify_success: false,
  };
}

/** One that exists, to be changed. */
export function draftOf(configuration: BackupConfiguration): Draft {
  return { ...configuration, notification_email: configuration.notification_email ?? "" };
}

/** What is sent of it. */
export function bodyOf(draft: Draft): Omit<NewBackupConfiguration, "agent_id"> {
  const { name, inclusions, exclusions, schedule, timezone, retention, missed, spread_minutes } = draft;
  const { notification_email, notify_failure, notify_success } = draft;
  return {
    name,
    inclusions,
    exclusions,
    schedule,
    timezone,
    retention,
    missed,
    spread_minutes,
    notification_email,
    notify_failure,
    notify_success,
  };
}
