// The configurations whose last good backup is oldest: the ones to look at first.
import { Text } from "@mantine/core";
import { useAll, useOne } from "../../api/lists";
import type { Backup, BackupConfiguration } from "../../api/schema";
import { GoTo } from "../../components/GoTo";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { When } from "../../components/When";

const MOST = 8;

export function OldestBackups() {
  const configurations = useAll("backup_configuration", "/backup-configurations");
  const backups = useOne("backup", "/backups", { query: { restorable: true, limit: 1000 } });
  return (
    <Section title="Oldest good backups">
      <Known of={configurations} reading="the configurations">
        {(all) => (
          <Known of={backups} reading="the good backups">
            {({ items }) => <Rows rows={oldest(all, items)} />}
          </Known>
        )}
      </Known>
    </Section>
  );
}

function Rows({ rows }: { rows: ReturnType<typeof oldest> }) {
  if (rows.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        There is nothing to back up yet.
      </Text>
    );
  }
  return rows.slice(0, MOST).map(({ configuration, at }) => (
    <div className="pair" key={configuration.id}>
      <GoTo to={`/configurations/${configuration.id}`}>{configuration.name}</GoTo>
      {at ? <When at={at} /> : <span className="bad">None</span>}
    </div>
  ));
}

/** Each enabled configuration with its newest good backup, those without one first, then by age. */
export function oldest(configurations: BackupConfiguration[], backups: Backup[]) {
  const newest = new Map<number, string>();
  for (const backup of backups) {
    const at = backup.completed_at ?? backup.created_at;
    const known = newest.get(backup.configuration_id);
    if (!known || at > known) newest.set(backup.configuration_id, at);
  }
  return configurations
    .filter((configuration) => configuration.enabled)
    .map((configuration) => ({ configuration, at: newest.get(configuration.id) }))
    .sort((a, b) => (a.at ?? "").localeCompare(b.at ?? ""));
}
