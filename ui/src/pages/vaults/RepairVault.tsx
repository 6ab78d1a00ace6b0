// Repairs a vault, in two steps: what is damaged and would be done is told first, and changes nothing; then it is done.
import { Checkbox, Stack, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";

/** Starts a repair or the plan of one, and goes to it. */
function useRepair(vaultId: string, dry_run: boolean, quiet: boolean) {
  const navigate = useNavigate();
  return useAction(
    (read_data: boolean) => post("/vaults/{id}/tasks", { path: { id: vaultId } }, { kind: "repair", read_data, dry_run }),
    {
      changes: ["vault_task", "activity"],
      quiet,
      after: (task) => void navigate({ to: `/vault-tasks/${task.id}` as "/" }),
    },
  );
}

/** Asks for the plan. */
export function RepairPlanButton({ vaultId }: { vaultId: string }) {
  return (
    <Dialog label="Repair" size="xs" variant="default" title="What would a repair do?">
      {(close) => <PlanForm vaultId={vaultId} onLeave={close} />}
    </Dialog>
  );
}

function PlanForm({ vaultId, onLeave }: { vaultId: string; onLeave: () => void }) {
  const [readData, setReadData] = useState(true);
  const { mutate, isPending, error } = useRepair(vaultId, true, true);
  const plan = { mutate: () => mutate(readData), isPending, error };
  return (
    <Form send="See what it would do" action={plan} onLeave={onLeave}>
      <Text size="sm">
        Where a check or a drill found damage, a repair saves the rest. First it is only told what is lost and what would
        be done; nothing changes. It waits until nobody else works in the vault.
      </Text>
      <ReadData checked={readData} onChange={setReadData} />
    </Form>
  );
}

/** Repairs, after a plan. */
export function RepairButton({ vaultId }: { vaultId: string }) {
  const [readData, setReadData] = useState(true);
  const repair = useRepair(vaultId, false, false);
  const plan = (
    <Stack gap="sm">
      <span>
        The index is made anew, what is sound in damaged packs is written to new ones, and backups that miss something
        are written anew without it, under the same numbers. What is taken away can be brought back from the trash for
        some days.
      </span>
      <ReadData checked={readData} onChange={setReadData} />
    </Stack>
  );
  return (
    <ConfirmButton
      title="Repair this vault?"
      plan={plan}
      confirm="Repair it"
      loading={repair.isPending}
      onConfirm={() => repair.mutate(readData)}
    >
      Repair the vault
    </ConfirmButton>
  );
}

function ReadData({ checked, onChange }: { checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <Checkbox
      label="Read all data"
      description="It takes longer; without it only what is missing or of the wrong size is found."
      checked={checked}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
