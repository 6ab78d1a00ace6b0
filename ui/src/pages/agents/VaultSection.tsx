// An agent's vault: its size, checks, cleanups, trash, and the way out with plain restic.
import { Badge, Button, Loader } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Agent, Vault } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { Section } from "../../components/Section";
import { When } from "../../components/When";
import { bytes, count } from "../../format/bytes";
import { CopyVault } from "../vaults/CopyVault";
import { DrillButton } from "../vaults/DrillButton";
import { Growth } from "../vaults/Growth";
import { RepairPlanButton } from "../vaults/RepairVault";
import { RunningTasks } from "../vaults/RunningTasks";
import { CleanupPlan } from "./CleanupPlan";
import { ExportKey } from "./ExportKey";
import { MigrateVault } from "./MigrateVault";
import { SealVault } from "./SealVault";
import { TrashFacts } from "./TrashFacts";

export function VaultSection({ agent }: { agent: Agent }) {
  const vaultId = agent.vault_id;
  const where = { path: { id: vaultId } };
  const found = useOne("vault", "/vaults/{id}", where);
  const mayCheck = useMay("creator");
  const mayClean = useMay("admin");
  const check = useAction((read_data: boolean) => post("/vaults/{id}/checks", where, { read_data }), {
    changes: ["activity"],
    done: "The check has begun. It is among what the agent did, below.",
  });
  const managed = found.data?.mode === "managed";
  const actions = (
    <>
      {mayCheck && (
        <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(false)}>
          Check structure
        </Button>
      )}
      {mayCheck && managed && (
        <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(true)}>
          Check all data
        </Button>
      )}
      {mayCheck && managed && <DrillButton vaultId={vaultId} />}
      {managed && <CleanupPlan vaultId={vaultId} mayClean={mayClean} />}
      {mayCheck && managed && found.data && <CopyVault vault={found.data} />}
      {mayClean && managed && <RepairPlanButton vaultId={vaultId} />}
      {managed && (
        <ButtonLink to={`/find/${vaultId}`} size="xs" variant="default">
          Find files
        </ButtonLink>
      )}
      {/* Its window goes on telling how it went when the vault is another already. */}
      {(agent.encrypted ? mayClean : mayCheck) && <SealVault agent={agent} />}
      {mayClean && <MigrateVault agent={agent} />}
      {mayClean && managed && <ExportKey vaultId={vaultId} />}
    </>
  );
  return (
    <Section title="Vault" actions={actions}>
      {found.error && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loader aria-label="Reading the vault" />}
      {found.data && <VaultFacts vault={found.data} />}
      {managed && <RunningTasks vaultId={vaultId} />}
      <Growth vaultId={vaultId} />
      {found.data && <TrashFacts vaultId={vaultId} mayRestore={mayClean} />}
    </Section>
  );
}

function VaultFacts({ vault }: { vault: Vault }) {
  const managed = vault.mode === "managed";
  return (
    <Facts
      facts={[
        ["Size", bytes(vault.size_bytes)],
        ["Snapshots", count(vault.snapshot_count)],
        ["Last good check", vault.last_good_check_at && <When key="c" at={vault.last_good_check_at} />],
        ["Last good drill", vault.last_good_drill_at && <When key="d" at={vault.last_good_drill_at} />],
        [
          "Kind",
          <>
            <Badge variant="default" size="sm" radius="sm" tt="none">
              {managed ? "Managed" : "Sealed"}
            </Badge>{" "}
            {managed ? "The server holds its password." : "Only the agent and its user hold the password."}
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
  );
}
