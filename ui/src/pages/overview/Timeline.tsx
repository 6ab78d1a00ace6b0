// The runs of the last 24 hours, a line for each agent.
import { Text, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useAgentNames } from "../../api/names";
import type { Activity } from "../../api/schema";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { useNow } from "../../components/When";
import { exact } from "../../format/time";
import { words } from "../../format/words";
import { activityPath } from "../activity/path";
import { DAY_MS, useLastDay } from "./lastDay";

/** The agents that worked last; a fleet of thousands has its own pages. */
const MOST_LINES = 12;
/** A run is this wide at the least, in parts of the whole, so that it can be seen and pointed at. */
const LEAST = 0.006;
const HOURS = [24, 18, 12, 6, 0];

export function Timeline() {
  const found = useLastDay();
  return (
    <Section title="The last 24 hours">
      <Known of={found} reading="what ran">
        {(runs) => <Lines runs={runs} />}
      </Known>
    </Section>
  );
}

function Lines({ runs }: { runs: Activity[] }) {
  const now = useNow();
  const name = useAgentNames();
  const lines = [...Map.groupBy(runs, (run) => run.agent_id)].slice(0, MOST_LINES);
  if (lines.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        Nothing ran.
      </Text>
    );
  }
  return (
    <>
      {lines.map(([agent, mine]) => (
        <div className="timeline-row" key={agent}>
          <Link to={`/agents/${agent}` as string} className="link cell">
            {name(agent)}
          </Link>
          <div className="timeline">
            {mine.map((run) => (
              <Bar key={`${run.kind}-${run.id}`} run={run} now={now} />
            ))}
          </div>
        </div>
      ))}
      <div className="timeline-row" aria-hidden>
        <span />
        <div className="timeline-hours">
          {HOURS.map((hours) => (
            <span key={hours}>{hours === 0 ? "now" : `${hours} h ago`}</span>
          ))}
        </div>
      </div>
    </>
  );
}

function Bar({ run, now }: { run: Activity; now: number }) {
  const begin = Date.parse(run.started_at ?? run.created_at);
  const end = run.completed_at ? Date.parse(run.completed_at) : run.started_at ? now : begin;
  const left = Math.max(0, 1 - (now - begin) / DAY_MS);
  const width = Math.max(LEAST, (end - begin) / DAY_MS);
  const label = `${run.name}, ${words(run.kind).toLowerCase()}: ${words(run.state).toLowerCase()}, ${exact(run.created_at)}`;
  const place = { left: `${Math.min(left, 1 - LEAST) * 100}%`, width: `${Math.min(width, 1) * 100}%` };
  return (
    <Tooltip label={label}>
      <Link
        to={activityPath(run)}
        className="bar"
        data-state={run.state}
        style={place}
        aria-label={label}
      />
    </Tooltip>
  );
}
