// Vaults that no agent backs up to any more: what deleted agents left, and what was there before a vault was sealed.
import { useAction } from "../../api/action";
import { remove } from "../../api/call";
import { useAll } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
import type { Vault } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, plural } from "../../format/bytes";
import { CopyVault } from "../vaults/CopyVault";

export function OldVaults({ agent }: { agent?: number }) {
  const vaults = useAll("vault", "/vaults");
  const isOld = (one: Vault) => !one.current && (agent === undefined || one.agent_id === agent);
  return (
    <Known of={vaults} reading="the vaults" quiet>
      {(all) =>
        all.some(isOld) && (
          <Section title="Vaults that are only read">
            {all.filter(isOld).map((vault) => (
              <OldVault key={vault.id} vault={vault} />
            ))}
          </Section>
        )
      }
    </Known>
  );
}

function OldVault({ vault }: { vault: Vault }) {
  const agent = useAgentNames();
  const mayCopy = useMay("creator");
  const mayDelete = useMay("admin");
  const forget = useAction(() => remove("/vaults/{id}", { path: { id: vault.id } }), {
    changes: ["vault", "backup"],
    done: "The vault was deleted.",
  });
  return (
    <div className="step" style={{ padding: "4px 0" }}>
      <span>
        {agent(vault.agent_id)}, <StateBadge state={vault.mode} />, {plural(vault.snapshot_count, "backup")},{" "}
        {bytes(vault.size_bytes)}, made <When at={vault.created_at} />
      </span>
      <span style={{ display: "flex", gap: 8 }}>
        {vault.mode === "managed" && (
          <ButtonLink to={`/find/${vault.id}`} size="xs" variant="light">
            Find files
          </ButtonLink>
        )}
        {mayCopy && vault.mode === "managed" && <CopyVault vault={vault} />}
        {mayDelete && (
          <ConfirmButton
            size="xs"
            className="danger"
            title="Delete this vault?"
            plan={`${plural(vault.snapshot_count, "backup")} of ${agent(vault.agent_id)} will be gone for ever.`}
            typed={vault.id}
            confirm="Delete the vault"
            loading={forget.isPending}
            onConfirm={() => forget.mutate()}
          >
            Delete
          </ConfirmButton>
        )}
      </span>
    </div>
  );
}
