import { expect, test } from "vitest";
import type { Backup, BackupConfiguration } from "../../api/schema";
import { oldest } from "./OldestBackups";

test("what has no good backup comes first, then the oldest", () => {
  const configurations = [
    { id: 1, enabled: true },
    { id: 2, enabled: true },
    { id: 3, enabled: true },
    { id: 4, enabled: false },
  ] as BackupConfiguration[];
  const backups = [
    { configuration_id: 1, completed_at: "2026-01-03T00:00:00Z" },
    { configuration_id: 1, completed_at: "2026-01-01T00:00:00Z" },
    { configuration_id: 2, completed_at: "2026-01-02T00:00:00Z" },
  ] as Backup[];
  expect(oldest(configurations, backups).map((row) => row.configuration.id)).toEqual([3, 2, 1]);
});
