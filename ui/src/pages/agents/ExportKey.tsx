// The password of a managed vault, for plain restic. It is read only when asked for, and who asked is in the audit log.
import { Alert, Modal, Stack, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { ConfirmButton } from "../../components/ConfirmButton";
import { CopyLine } from "../../components/CopyLine";

export function ExportKey({ vaultId }: { vaultId: string }) {
  const read = useAction(() => post("/vaults/{id}/export-key", { path: { id: vaultId } }), {
    changes: ["audit"],
  });
  return (
    <>
      <ConfirmButton
        size="xs"
        title="Show the vault's password?"
        plan="Whoever has it can read all that was backed up. That you asked will stand in the audit log."
        confirm="Show it"
        loading={read.isPending}
        onConfirm={() => read.mutate()}
      >
        Password
      </ConfirmButton>
      <Modal opened={read.data !== undefined} onClose={() => read.reset()} title="For plain restic" size="lg">
        {read.data && (
          <Stack>
            <Alert color="yellow">
              It is not shown again after this. Keep it where only you can read it.
            </Alert>
            <Text size="sm">The repository</Text>
            <CopyLine label="the repository" text={read.data.repository} />
            <Text size="sm">Its password</Text>
            <CopyLine label="the password" text={read.data.password} />
          </Stack>
        )}
      </Modal>
    </>
  );
}
