// What lies in a vault's trash, and the way back.
import { Group, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import type { Trash } from "../../api/schema";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Known } from "../../components/Known";
import { bytes, plural } from "../../format/bytes";

interface Props {
  vaultId: string;
  mayRestore: boolean;
}

export function TrashFacts(props: Props) {
  const found = useOne("vault", "/vaults/{id}/trash", { path: { id: props.vaultId } });
  return (
    <Known of={found} reading="the trash" quiet>
      {(trash) => trash.files > 0 && <Lying trash={trash} {...props} />}
    </Known>
  );
}

function Lying({ trash, vaultId, mayRestore }: Props & { trash: Trash }) {
  const where = { path: { id: vaultId } };
  const restore = useAction(() => post("/vaults/{id}/trash/restore", where), {
    changes: ["vault", "backup"],
    done: "Everything is back from the trash.",
  });
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
