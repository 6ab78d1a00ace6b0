// What lies in a vault's trash, and the way back.
import { Group, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { ConfirmButton } from "../../components/ConfirmButton";
import { bytes, plural } from "../../format/bytes";

export function TrashFacts({ vaultId, mayRestore }: { vaultId: string; mayRestore: boolean }) {
  const where = { path: { id: vaultId } };
  const { data: trash } = useOne("vault", "/vaults/{id}/trash", where);
  const restore = useAction(() => post("/vaults/{id}/trash/restore", where), {
    changes: ["vault", "backup"],
    done: "Everything is back from the trash.",
  });
  if (!trash || trash.files === 0) return null;
  return (
    <Group mt="sm" justify="space-between">
      <Text size="sm" c="dimmed">
        In the trash: {plural(trash.snapshots, "backup")}, {plural(trash.files, "file")},{" "}
        {bytes(trash.size_bytes)}; gone for good after {plural(trash.keep_days, "day")}.
      </Text>
      {mayRestore && (
        <ConfirmButton
          size="xs"
          title="Bring everything back?"
          plan="All that lies in the trash is part of the vault again, and its backups can be restored."
          confirm="Bring it back"
          loading={restore.isPending}
          onConfirm={() => restore.mutate()}
        >
          Bring back
        </ConfirmButton>
      )}
    </Group>
  );
}
