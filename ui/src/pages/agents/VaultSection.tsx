// An agent's vault: its size, checks, cleanups, trash, and the way out with plain restic.
import { Badge, Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Agent, Vault } from "../../api/schema";
import { ActionRow, ActionRows } from "../../components/ActionRows";
import { ButtonLink } from "../../components/ButtonLink";
import { Facts } from "../../components/Facts";
import { Known } from "../../components/Known";
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
  const found = useOne("vault", "/vaults/{id}", { path: { id: vaultId } });
  const mayClean = useMay("admin");
  return (
    <Section title="Vault">
      <Known of={found} reading="the vault">
        {(vault) => <VaultFacts vault={vault} />}
      </Known>
      {found.data?.mode === "managed" && <RunningTasks vaultId={vaultId} />}
      <Growth vaultId={vaultId} />
      {found.data && <TrashFacts vaultId={vaultId} mayRestore={mayClean} />}
      <VaultActions agent={agent} vault={found.data} />
    </Section>
  );
}

/** Also there while the vault is not known: windows that are open stay so when the agent gets another one. */
function VaultActions({ agent, vault }: { agent: Agent; vault?: Vault }) {
  const mayWork = useMay("creator");
  const mayClean = useMay("admin");
  const vaultId = agent.vault_id;
  const managed = vault?.mode === "managed";
  return (
    <ActionRows>
      {(managed || mayWork) && (
        <ActionRow title="Is it all there?">
          {mayWork && <Checks vaultId={vaultId} managed={managed} />}
          {mayWork && managed && <DrillButton vaultId={vaultId} />}
          {managed && (
            <ButtonLink to={`/find/${vaultId}`} size="xs" variant="default">
              Find files
            </ButtonLink>
          )}
        </ActionRow>
      )}
      {managed && (
        <ActionRow title="Work on it">
          <CleanupPlan vaultId={vaultId} mayClean={mayClean} />
          {mayWork && <CopyVault vault={vault} />}
          {mayClean && <RepairPlanButton vaultId={vaultId} />}
        </ActionRow>
      )}
      {mayWork && (
        <ActionRow title="Who can open it">
                    {(agent.encrypted ? mayClean : mayWork) && <SealVault agent={agent} />}
          {mayClean && <MigrateVault agent={agent} />}
          {mayClean && managed && <ExportKey vaultId={vaultId} />}
        </ActionRow>
      )}
    </ActionRows>
  );
}

function Checks({ vaultId, managed }: { vaultId: string; managed: boolean }) {
  const navigate = useNavigate();
  const check = useAction(
    (read_data: boolean) => post("/vaults/{id}/checks", { path: { id: vaultId } }, { read_data }),
    { changes: ["activity"], after: (begun) => void navigate({ to: `/checks/${begun.id}` as "/" }) },
  );
  return (
    <>
      <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(false)}>
        Check structure
      </Button>
      {managed && (
        <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate(true)}>
          Check all data
        </Button>
      )}
    </>
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
