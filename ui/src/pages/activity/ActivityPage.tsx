// What goes on and went on; and the jobs that make machines.
import { Group, Select, Tabs } from "@mantine/core";
import { useState } from "react";
import { useAll, useList } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { ActivityKind, RunState } from "../../api/schema";
import { PageHeader } from "../../components/PageHeader";
import { words } from "../../format/words";
import { ActivityTable } from "./ActivityTable";
import { Jobs } from "./Jobs";

const KINDS: ActivityKind[] = ["backup", "restore", "check", "cleanup", "drill", "copy", "repair"];
const STATES: RunState[] = [
  "queued",
  "searching",
  "in_progress",
  "completed",
  "completed_with_errors",
  "failed",
  "cancelled",
  "missed",
  "skipped",
];

export default function ActivityPage() {
  return (
    <>
      <PageHeader title="Activity" about="Backups, restores, checks and cleanups, running and past." />
      <Tabs defaultValue="runs" keepMounted={false}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="runs">Runs</Tabs.Tab>
          <Tabs.Tab value="jobs">Machine jobs</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="runs">
          <Runs />
        </Tabs.Panel>
        <Tabs.Panel value="jobs">
          <Jobs />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Runs() {
  const [kind, setKind] = useState<ActivityKind | null>(null);
  const [state, setState] = useState<RunState | null>(null);
  const [agent, setAgent] = useState<string | null>(null);
  const list = useList("activity", "/activity", {
    query: { kind, state, agent_id: agent ? Number(agent) : null },
  });
  const agents = useAll("agent", "/agents");
  const name = useAgentNames();
  const choice = (value: string) => ({ value, label: words(value) });
  return (
    <>
      <Group mb="sm" gap="xs">
        <Select
          aria-label="Kind"
          placeholder="Every kind"
          clearable
          w={150}
          value={kind}
          onChange={(value) => setKind(value as ActivityKind | null)}
          data={KINDS.map(choice)}
        />
        <Select
          aria-label="State"
          placeholder="Every state"
          clearable
          w={190}
          value={state}
          onChange={(value) => setState(value as RunState | null)}
          data={STATES.map(choice)}
        />
        <Select
          aria-label="Agent"
          placeholder="Every agent"
          clearable
          searchable
          w={190}
          value={agent}
          onChange={setAgent}
          data={agents.data?.map((one) => ({ value: String(one.id), label: name(one.id) })) ?? []}
        />
      </Group>
      <div className="panel">
        <ActivityTable list={list} />
      </div>
    </>
  );
}
