// A configuration in the editor.
import type { BackupConfiguration, BackupOptions, NewBackupConfiguration } from "../../api/schema";
import { limitFault } from "./bandwidth";
import { faultOf } from "./dumps";

/** The options, with nothing left out; such as the editor does not know stay as they are. */
export type Options = Required<
  Pick<
    BackupOptions,
    | "patterns"
    | "ignore_files"
    | "one_file_system"
    | "exclude_caches"
    | "exclude_larger_than"
    | "dumps"
    | "bandwidth"
  >
> & { hooks: Required<Hooks> };
export type Hooks = NonNullable<BackupOptions["hooks"]>;

export type Draft = Required<
  Pick<NewBackupConfiguration, "inclusions" | "exclusions" | "retention" | "schedule" | "timezone">
> & {
  name: string;
  agent_id: number | null;
  missed: BackupConfiguration["missed"];
  spread_minutes: number;
  options: Options;
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
    options: optionsOf({}),
    notification_email: "",
    notify_failure: false,
    notify_success: false,
  };
}

/** One that exists, to be changed. */
export function draftOf(configuration: BackupConfiguration): Draft {
  return {
    ...configuration,
    options: optionsOf(configuration.options ?? {}),
    notification_email: configuration.notification_email ?? "",
  };
}

function optionsOf(options: BackupOptions): Options {
  const { pre = null, post = null, error = null, cancel_when_pre_fails = true } = options.hooks ?? {};
  return {
    patterns: options.patterns ?? [],
    ignore_files: options.ignore_files ?? [],
    one_file_system: options.one_file_system ?? false,
    exclude_caches: options.exclude_caches ?? false,
    exclude_larger_than: options.exclude_larger_than ?? null,
    dumps: options.dumps ?? [],
    bandwidth: options.bandwidth ?? [],
    hooks: { pre, post, error, cancel_when_pre_fails },
  };
}

/** What the server would refuse of it for sure; a sentence. */
export function faultIn({ options }: Draft): string | null {
  const dump = options.dumps.map((_, index) => faultOf(options.dumps, index)).findIndex((fault) => fault !== null);
  if (dump >= 0) return `Dump ${dump + 1}: ${faultOf(options.dumps, dump)}`;
  const limit = options.bandwidth.findIndex((one) => limitFault(one) !== null);
  const slow = options.bandwidth[limit];
  return slow ? `Limit ${limit + 1}: ${limitFault(slow)}` : null;
}

/** What is sent of it. Only admins set commands, so others send none around it, and those in it as they were. */
export function bodyOf(draft: Draft, isAdmin: boolean): Omit<NewBackupConfiguration, "agent_id"> {
  const { name, inclusions, exclusions, schedule, timezone, retention, missed, spread_minutes } = draft;
  const { notification_email, notify_failure, notify_success } = draft;
  const { hooks, ...others } = draft.options;
  return {
    name,
    inclusions,
    exclusions,
    schedule,
    timezone,
    retention,
    missed,
    spread_minutes,
    options: isAdmin ? { ...others, hooks } : others,
    notification_email,
    notify_failure,
    notify_success,
  };
}
