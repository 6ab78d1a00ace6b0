// What a vault's tasks are at now: how far they are, and a way to stop them.
import { Button, Group } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { VaultTask } from "../../api/schema";
import { GoTo } from "../../components/GoTo";
import { Known } from "../../components/Known";
import { RunProgress } from "../../components/RunProgress";
import { StateBadge } from "../../components/StateBadge";
import { words } from "../../format/words";
import { isOver } from "../backups/runs";

/** So many of the newest are looked at; of a vault few go on at a time. */
const NEWEST = 20;

export function RunningTasks({ vaultId }: { vaultId: string }) {
  const found = useOne("vault_task", "/vaults/{id}/tasks", { path: { id: vaultId }, query: { limit: NEWEST } });
  return (
    <Known of={found} reading="its tasks" quiet>
      {({ items }) =>
        items.filter((task) => !isOver(task.state)).map((task) => <RunningTask key={task.id} task={task} />)
      }
    </Known>
  );
}

function RunningTask({ task }: { task: VaultTask }) {
  return (
    <section aria-label={`${words(task.kind)} ${task.id}`} style={{ marginTop: 12 }}>
      <Group justify="space-between" mb={4}>
        <span>
          <GoTo to={`/vault-tasks/${task.id}`}>{words(task.kind)}</GoTo> <StateBadge state={task.state} />
        </span>
        <StopTask task={task} size="xs" />
      </Group>
      <RunProgress progress={task.progress} verb="done" />
    </section>
  );
}

/** Stops a task that goes on, by whoever may. */
export function StopTask({ task, size }: { task: VaultTask; size?: "xs" }) {
  const mayStop = useMay("creator");
  const stop = useAction(() => post("/vault-tasks/{id}/stop", { path: { id: task.id } }), {
    changes: ["vault_task", "activity"],
    done: "It is being stopped. What it has done stays.",
  });
  if (!mayStop || isOver(task.state)) return null;
  return (
    <Button
      size={size}
      variant="default"
      className="danger"
      disabled={task.state === "stop_requested"}
      loading={stop.isPending}
      onClick={() => stop.mutate()}
    >
      Stop
    </Button>
  );
}
