// What has failed in the last day, and what to do about it.
import { Text } from "@mantine/core";
import { useAll } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { Activity, Backend } from "../../api/schema";
import { GoTo } from "../../components/GoTo";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { activityPath } from "../activity/path";
import { useLastDay } from "./lastDay";

const BAD = new Set(["failed", "completed_with_errors", "missed"]);
/** The list is to be read at a glance; the rest is under Activity. */
const MOST = 8;

export function Troubles() {
  const runs = useLastDay().data?.filter((run) => BAD.has(run.state)) ?? [];
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
  return (
    <div className="trouble">
      <StateBadge state="offline" />
      <GoTo to={`/backends/${backend.id}`}>{backend.title}</GoTo>
      <Text size="sm" c="dimmed">
        {backend.reason ?? "It does not answer."} Look whether it is up and its credentials still hold.
      </Text>
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
    </div>
  );
}
