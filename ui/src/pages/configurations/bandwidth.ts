// Limits of how fast a backup may send: what they say, and what the server would refuse.
import type { BackupOptions } from "../../api/schema";
import { bytes } from "../../format/bytes";

export type Limit = NonNullable<BackupOptions["bandwidth"]>[number];

/** How many a configuration takes. */
export const MOST_LIMITS = 48;
/** The slowest rate that can be set, in bytes a second. */
const SLOWEST = 1024;

/** What a new one begins with: something that leaves an office its line. */
export function newLimit(): Limit {
  return { from: "08:00", until: "18:00", bytes_per_second: 2 * 1024 * 1024 };
}

/** A limit as a sentence without its full stop. */
export function tellLimit({ from, until, bytes_per_second }: Limit): string {
  const when = from === until ? "All day" : `From ${from} until ${until}${until < from ? " of the next day" : ""}`;
  return `${when}, up to ${bytes(bytes_per_second)} a second`;
}

/** What is wrong with a limit, if anything is. */
export function limitFault(limit: Limit): string | null {
  return limit.bytes_per_second < SLOWEST ? "At least 1 KiB a second, which is 0.001 here; take it away for none." : null;
}
