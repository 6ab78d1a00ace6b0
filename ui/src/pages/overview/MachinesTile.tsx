// Machines by provider, with the backends that answer.
import { Progress, Text } from "@mantine/core";
import { useAll } from "../../api/lists";
import type { Backend } from "../../api/schema";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { count } from "../../format/bytes";

export function MachinesTile() {
  const backends = useAll("backend", "/backends");
  return (
    <Section title="Machines by provider">
      <Known of={backends} reading="the backends">
        {(all) => <Providers backends={all} />}
      </Known>
    </Section>
  );
}

function Providers({ backends }: { backends: Backend[] }) {
  const providers = useAll("provider", "/providers");
  const groups = [...Map.groupBy(backends, (backend) => backend.provider)]
    .map(([provider, mine]) => ({
      provider,
      machines: mine.reduce((sum, one) => sum + one.machine_count, 0),
    }))
    .sort((a, b) => b.machines - a.machines);
  const most = Math.max(1, ...groups.map((group) => group.machines));
  const title = (id: string) => providers.data?.find((provider) => provider.id === id)?.title ?? id;
  if (groups.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        No backend was added yet.
      </Text>
    );
  }
  return groups.map(({ provider, machines }) => (
    <div key={provider} style={{ marginBottom: 8 }}>
      <div className="pair">
        <span>{title(provider)}</span>
        <span>{count(machines)}</span>
      </div>
      <Progress value={(machines / most) * 100} size="sm" aria-label={`${title(provider)}: ${machines}`} />
    </div>
  ));
}
