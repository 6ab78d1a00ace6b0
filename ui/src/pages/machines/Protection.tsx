// Whether a machine would come back: its last good backup, or that there is none.
import { Badge } from "@mantine/core";
import type { Machine } from "../../api/schema";
import { When } from "../../components/When";

export function Protection({ machine }: { machine: Machine }) {
  if (machine.protected) {
    return (
      <Badge variant="light" color="green" size="sm" radius="sm" tt="none" className="state">
        <When at={machine.last_good_backup_at} />
      </Badge>
    );
  }
  const why = machine.agent_id ? (machine.last_good_backup_at ? "Overdue" : "No backup") : "No agent";
  return (
    <Badge variant="light" color="orange" size="sm" radius="sm" tt="none" className="state">
      {why}
    </Badge>
  );
}
