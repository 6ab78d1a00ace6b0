// One machine: its facts, what can be done with it, and what it says of itself.
import { Loader } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useOne } from "../../api/lists";
import { useBackendTitles } from "../../api/names";
import type { Machine } from "../../api/schema";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { extraFact } from "./extra";
import { MachineActions } from "./MachineActions";
import { MachineConsole } from "./MachineConsole";
import { MachineHistory } from "./MachineHistory";
import { MachineKeys } from "./MachineKeys";
import { MachineProtection } from "./MachineProtection";
import { MachineTags } from "./MachineTags";
import { Metrics } from "./Metrics";
import { Probe } from "./Probe";

export default function MachinePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("machine", "/machines/{id}", { path: { id } });
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the machine" />;
  const machine = found.data;
  return (
    <>
      <PageHeader title={machine.name} badge={<StateBadge state={machine.state} />}>
        <MachineActions machine={machine} />
      </PageHeader>
      <MachineProtection machine={machine} />
      <About machine={machine} />
      {machine.agent_id && <Metrics of={{ machine: machine.id }} />}
      <MachineTags machine={machine} />
      <Probe machine={machine} />
      <MachineKeys machine={machine} />
      <MachineConsole machine={machine} />
      <MachineHistory id={machine.id} />
    </>
  );
}

function About({ machine }: { machine: Machine }) {
  const backend = useBackendTitles();
  const mono = (text?: string | null) => (text ? <span className="mono">{text}</span> : null);
  const extra = Object.entries(machine.extra ?? {}).map(([name, value]) => extraFact(name, value));
  return (
    <Section title="About it">
      <Facts
        facts={[
          [
            "Backend",
            <GoTo key="b" to={`/backends/${machine.backend_id}`}>
              {backend(machine.backend_id)}
            </GoTo>,
          ],
          ["Public addresses", mono(machine.public_ips.join(", "))],
          ["Private addresses", mono(machine.private_ips.join(", "))],
          ["Location", machine.location],
          ["Size", machine.size],
          ["Image", mono(machine.image)],
          ["Seen", <When key="w" at={machine.refreshed_at} />],
        ]}
      />
      <details className="more">
        <summary>All that the backend tells</summary>
        <Facts
          facts={[["Id in the cloud", mono(machine.external_id)], ["Id", mono(machine.id)], ...extra]}
        />
      </details>
    </Section>
  );
}
