// An agent's vault: its size, checks, cleanups, trash, and the way out with plain restic.
import { Badge, Button, Loader } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { Section } from "../../components/Section";
import { bytes, count } from "../../format/bytes";
import { CleanupPlan } from "./CleanupPlan";
import { ExportKey } from "./ExportKey";
import { TrashFacts } from "./TrashFacts";

export function VaultSection({ vaultId }: { vaultId: string }) {
  const where = { path: { id: vaultId } };
  const found = useOne("vault", "/vaults/{id}", where);
  const mayCheck = useMay("creator");
  const mayClean = useMay("admin");
  const check = useAction((read_data: boolean) => post("/vaults/{id}/checks", where, { read_data }), {
    changes: ["activity"],
    done: "The check has begun. It is among what the agent did, below.",
  });
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the vault" />;
  const vault = found.data;
  const actions = (
    <>
      {mayCheck && (
        <>
          <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(false)}>
            Check structure
          </Button>
          <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(true)}>
            Check all data
          </Button>
        </>
      )}
      <CleanupPlan vaultId={vaultId} mayClean={mayClean} />
      {mayClean && vault.mode === "managed" && <ExportKey vaultId={vaultId} />}
    </>
  );
  const mode =
    vault.mode === "managed"
      ? "The server holds its password."
      : "Only the agent and its user hold the password.";
  return (
    <Section title="Vault" actions={actions}>
      <Facts
        facts={[
          ["Size", bytes(vault.size_bytes)],
          ["Snapshots", count(vault.snapshot_count)],
          [
            "Kind",
            <>
              <Badge variant="default" size="sm" radius="sm" tt="none">
                {vault.mode === "managed" ? "Managed" : "Sealed"}
              </Badge>{" "}
              {mode}
            </>,
          ],
          [
            "For restic",
            <span key="u" className="mono">
              rest:{vault.url}
            </span>,
          ],
        ]}
      />
      <TrashFacts vaultId={vaultId} mayRestore={mayClean} />
    </Section>
  );
}
