// The vaults that take most room.
import { Progress, Text } from "@mantine/core";
import { useAll } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { Vault } from "../../api/schema";
import { GoTo } from "../../components/GoTo";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { bytes } from "../../format/bytes";

const MOST = 6;

export function Storage() {
  const vaults = useAll("vault", "/vaults");
  return (
    <Section title="Largest vaults">
      <Known of={vaults} reading="the vaults">
        {(all) => <Largest vaults={all} />}
      </Known>
    </Section>
  );
}

function Largest({ vaults }: { vaults: Vault[] }) {
  const name = useAgentNames();
  const largest = [...vaults].sort((a, b) => b.size_bytes - a.size_bytes).slice(0, MOST);
  const most = Math.max(1, largest[0]?.size_bytes ?? 0);
  if (largest.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        There are no vaults yet.
      </Text>
    );
  }
  return largest.map((vault) => (
    <div key={vault.id} style={{ marginBottom: 8 }}>
      <div className="pair">
        <GoTo to={`/agents/${vault.agent_id}`}>{name(vault.agent_id)}</GoTo>
        <span>{bytes(vault.size_bytes)}</span>
      </div>
      <Progress
        value={(vault.size_bytes / most) * 100}
        size="sm"
        aria-label={`${name(vault.agent_id)}: ${bytes(vault.size_bytes)}`}
      />
    </div>
  ));
}
