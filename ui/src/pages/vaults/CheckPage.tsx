// A check of a vault: what it looked at, and what it found.
import { Loader } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useOne } from "../../api/lists";
import { Failure } from "../../components/Failure";
import { bytes, count } from "../../format/bytes";
import { VaultRun } from "./VaultRun";

export default function CheckPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("check", "/checks/{id}", { path: { id } });
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the check" />;
  const check = found.data;
  const part = check.parts > 1 && `, part ${check.part + 1} of ${check.parts}`;
  return (
    <VaultRun
      work={check}
      title={`Check ${id}`}
      about="Whether all that backups need is in the vault, and as it was written."
      outcome={[
        ["Looked at", check.read_data ? `Structure and data${part || ""}` : "Structure"],
        ["Backups", count(check.snapshots_checked)],
        ["Packs", count(check.packs_checked)],
        ["Data read", check.read_data && bytes(check.bytes_read)],
      ]}
      problems={check.problems}
      wrong="What it found"
    />
  );
}
