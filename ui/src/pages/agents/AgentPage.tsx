// One agent with its vault, its configurations and what it did.
import { Button, Loader } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useList, useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Agent } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { PageHeader } from "../../components/PageHeader";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { ActivityTable } from "../activity/ActivityTable";
import { ConfigurationTable } from "../configurations/ConfigurationTable";
import { Metrics } from "../machines/Metrics";
import { AgentLog } from "./AgentLog";
import { AgentMachines } from "./AgentMachines";
import { DeleteAgent } from "./DeleteAgent";
import { OldVaults } from "./OldVaults";
import { agentState } from "./state";
import { VaultSection } from "./VaultSection";

export default function AgentPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("agent", "/agents/{id}", { path: { id } });
  const mayMake = useMay("creator");
  const mayDelete = useMay("admin");
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the agent" />;
  const agent = found.data;
  const create = mayMake && (
    <ButtonLink to={`/configurations/create?agent=${agent.id}`} size="xs" variant="light">
      New configuration
    </ButtonLink>
  );
  return (
    <>
      <PageHeader
        title={agent.name}
        badge={<StateBadge state={agentState(agent)} />}
        about={agent.busy ? "It has work in hand." : undefined}
      >
        <Toggle agent={agent} />
        {mayDelete && <DeleteAgent agent={agent} />}
      </PageHeader>
      <Section title="About it">
        <Facts
          facts={[
            ["Host name", agent.host.hostname],
            ["System", `${agent.host.os} (${agent.host.arch})`],
            ["Version", agent.host.agent_version],
            ["Heard of", <When key="l" at={agent.last_seen_at} />],
            ["Enrolled", <When key="c" at={agent.created_at} absolute />],
            [
              "Fingerprint",
              <span key="f" className="mono">
                {agent.fingerprint}
              </span>,
            ],
          ]}
        />
      </Section>
      <AgentMachines agent={agent} />
      <Section title="Configurations" actions={create} flush>
        <ConfigurationTable agentId={agent.id} />
      </Section>
      <VaultSection agent={agent} />
      <OldVaults agent={agent.id} />
      <Metrics of={{ agent: agent.id }} />
      <Section title="What it did" flush>
        <AgentActivity id={agent.id} />
      </Section>
      <AgentLog agent={agent} />
    </>
  );
}

function AgentActivity({ id }: { id: number }) {
  const list = useList("activity", "/activity", { query: { agent_id: id } });
  return <ActivityTable list={list} />;
}

function Toggle({ agent }: { agent: Agent }) {
  const mayChange = useMay("creator");
  const where = { path: { id: agent.id } };
  const turn = (on: boolean) => (on ? post("/agents/{id}/enable", where) : post("/agents/{id}/disable", where));
  const toggle = useAction(() => turn(!agent.enabled), {
    changes: ["agent"],
    done: agent.enabled ? "It takes no new work; what it has in hand goes on." : "It takes work again.",
    undo: () => turn(agent.enabled),
  });
  if (!mayChange) return null;
  return (
    <Button variant="default" loading={toggle.isPending} onClick={() => toggle.mutate()}>
      {agent.enabled ? "Disable" : "Enable"}
    </Button>
  );
}
