// A cleanup of a vault: what it forgot, and what that gave back.
import { Loader } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useOne } from "../../api/lists";
import { Failure } from "../../components/Failure";
import { bytes, count, plural } from "../../format/bytes";
import { VaultRun } from "./VaultRun";

export default function CleanupPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("cleanup", "/cleanups/{id}", { path: { id } });
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the cleanup" />;
  const cleanup = found.data;
  return (
    <VaultRun
      work={cleanup}
      title={`Cleanup ${id}`}
      about="What no rule keeps is forgotten, and its room won back. It can be brought back from the trash for some days."
      outcome={[
        ["Kept", plural(cleanup.backups_kept, "backup")],
        ["Forgotten", plural(cleanup.backups_forgotten, "backup")],
        ["Thrown away", `${plural(cleanup.packs_dropped, "pack")}, ${bytes(cleanup.bytes_dropped)}`],
        ["Written anew", plural(cleanup.packs_repacked, "pack")],
        ["Gone from the trash", `${count(cleanup.files_deleted)} files for good`],
      ]}
      problems={[]}
      wrong=""
    />
  );
}
