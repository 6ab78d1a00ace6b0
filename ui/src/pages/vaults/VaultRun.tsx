// Work on a vault as a page shows it: a check, a cleanup, a drill, a copy or a repair, live, and what came of it.
import { Alert, List } from "@mantine/core";
import type { ReactNode } from "react";
import { useAll } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { Progress, RunState } from "../../api/schema";
import { type Fact, Facts } from "../../components/Facts";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { RunProgress } from "../../components/RunProgress";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { isOver } from "../backups/runs";

/** What all such work has. */
export interface Work {
  vault_id: string;
  state: RunState;
  reason?: string | null;
  created_at: string;
  started_at?: string | null;
  completed_at?: string | null;
  progress?: Progress;
}

interface Props {
  work: Work;
  title: string;
  about: string;
  /** What can be done with it. */
  actions?: ReactNode;
  /** What is to be said before all else. */
  notice?: ReactNode;
  /** What came of it. */
  outcome: Fact[];
  /** What is wrong, a sentence each, and under which heading. */
  problems: string[];
  wrong: string;
}

export function VaultRun({ work, title, about, actions, notice, outcome, problems, wrong }: Props) {
  return (
    <>
      <PageHeader title={title} about={about} badge={<StateBadge state={work.state} />}>
        {actions}
      </PageHeader>
      {notice}
      {work.reason && (
        <Alert color={work.state === "failed" ? "red" : "yellow"} mb="md">
          {work.reason}
        </Alert>
      )}
      {work.progress && !isOver(work.state) && (
        <Section title="How far it is">
          <RunProgress progress={work.progress} verb="done" />
        </Section>
      )}
      <Section title="About it">
        <Facts
          facts={[
            ["Vault of", <Owner key="v" vault={work.vault_id} />],
            ["Asked for", <When key="a" at={work.created_at} absolute />],
            ["Began", work.started_at && <When at={work.started_at} absolute />],
            ["Ended", work.completed_at && <When at={work.completed_at} absolute />],
            ...outcome,
          ]}
        />
      </Section>
      {problems.length > 0 && (
        <Section title={wrong}>
          <List size="sm">
            {problems.map((problem) => (
              <List.Item key={problem}>{problem}</List.Item>
            ))}
          </List>
        </Section>
      )}
    </>
  );
}

function Owner({ vault }: { vault: string }) {
  const vaults = useAll("vault", "/vaults");
  const agent = useAgentNames();
  const owner = vaults.data?.find((one) => one.id === vault)?.agent_id;
  return owner === undefined ? <span className="mono">{vault}</span> : <GoTo to={`/agents/${owner}`}>{agent(owner)}</GoTo>;
}
