// What has failed in the last day and was not made good since, and what to do about it.
import { Button, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
import type { Activity, Backend } from "../../api/schema";
import { GoTo } from "../../components/GoTo";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { activityPath } from "../activity/path";
import { StartBackup } from "../configurations/StartBackup";
import { useLastDay } from "./lastDay";
import { troubling } from "./troubling";

/** The list is to be read at a glance; the rest is under Activity. */
const MOST = 8;

export function Troubles() {
  const runs = troubling(useLastDay().data ?? []);
  const backends = useAll("backend", "/backends");
  const offline = backends.data?.filter((backend) => backend.enabled && backend.state === "offline") ?? [];
  if (runs.length + offline.length === 0) return null;
  return (
    <Section title="Needs somebody">
      {offline.map((backend) => (
        <OfflineRow key={backend.id} backend={backend} />
      ))}
      {runs.slice(0, MOST).map((run) => (
        <FailedRow key={`${run.kind}-${run.id}`} run={run} />
      ))}
      {runs.length > MOST && (
        <Text size="sm" mt="xs">
          <GoTo to="/activity">{runs.length - MOST} more under Activity</GoTo>
        </Text>
      )}
    </Section>
  );
}

function OfflineRow({ backend }: { backend: Backend }) {
  const mayAsk = useMay("creator");
  const ask = useAction(() => post("/backends/{id}/refresh", { path: { id: backend.id } }), {
    changes: ["backend", "machine"],
    done: `${backend.title} answers again.`,
  });
  return (
    <div className="trouble">
      <StateBadge state="offline" />
      <GoTo to={`/backends/${backend.id}`}>{backend.title}</GoTo>
      <Text size="sm" c="dimmed">
        {backend.reason ?? "It does not answer."} Look whether it is up and its credentials still hold.
      </Text>
      {mayAsk && (
        <Button size="compact-xs" variant="light" loading={ask.isPending} onClick={() => ask.mutate()}>
          Ask again
        </Button>
      )}
    </div>
  );
}

const ADVICE: Record<string, string> = {
  completed_with_errors: "Some files could not be read; the report says which.",
  missed: "Nobody could run it at its time; it is made up where the configuration says so.",
  failed: "Look at why, then start it again.",
};

function FailedRow({ run }: { run: Activity }) {
  const agent = useAgentNames();
  const mayStart = useMay("creator");
  const canStart = run.kind === "backup" && !run.configuration_deleted;
  return (
    <div className="trouble">
      <StateBadge state={run.state} />
      <span>
        <GoTo to={activityPath(run)}>{run.name}</GoTo>
        <Text span size="sm" c="dimmed">
          {" "}
          on {agent(run.agent_id)}, <When at={run.created_at} />
        </Text>
      </span>
      <Text size="sm" c="dimmed">
        {run.reason ?? ADVICE[run.state]}
      </Text>
      {mayStart && canStart && run.configuration_id && (
        <StartBackup id={run.configuration_id} label="Start again" size="compact-xs" />
      )}
    </div>
  );
}
