// Drills a vault now: whether its backups come back is then known.
import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";

export function DrillButton({ vaultId }: { vaultId: string }) {
  const navigate = useNavigate();
  const drill = useAction(() => post("/vaults/{id}/tasks", { path: { id: vaultId } }, { kind: "drill" }), {
    changes: ["vault_task", "activity"],
    after: (task) => void navigate({ to: `/vault-tasks/${task.id}` as "/" }),
  });
  return (
    <Button size="xs" variant="default" loading={drill.isPending} onClick={() => drill.mutate()}>
      Restore drill
    </Button>
  );
}
