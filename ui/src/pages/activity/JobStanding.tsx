// How far a job is, with its log, and what came of it.
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { useOne } from "../../api/lists";
import type { Job } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { Known } from "../../components/Known";
import { Scrolled } from "../../components/Scrolled";
import { StateBadge } from "../../components/StateBadge";
import { logged } from "../../format/time";

export function JobStanding({ id }: { id: number }) {
  const found = useOne("job", "/jobs/{id}", { path: { id } });
  return (
    <Known of={found} reading="the job">
      {(job) => <Standing job={job} />}
    </Known>
  );
}

function Standing({ job }: { job: Job }) {
  return (
    <Stack gap="sm">
      <Group gap="xs" role="status">
        <StateBadge state={job.state} />
        {!job.completed_at && <Text size="sm">It goes on when this page is left.</Text>}
      </Group>
      {job.reason && <Alert color="red">{job.reason}</Alert>}
      <Scrolled label="Log of the job" most="40dvh">
        <Code block className="wrapped">{job.log.map((line) => `${logged(line.at)}  ${line.text}`).join("\n") || "Nothing yet."}</Code>
      </Scrolled>
      <Group justify="flex-end">
        <Outcome job={job} />
      </Group>
    </Stack>
  );
}

function Outcome({ job }: { job: Job }) {
  return (
    <>
      {job.machine_ids.length === 1 && (
        <ButtonLink to={`/machines/${job.machine_ids[0]}`} variant="light">
          The machine
        </ButtonLink>
      )}
      {job.agent_id && (
        <ButtonLink to={`/agents/${job.agent_id}`} variant="light">
          Its agent
        </ButtonLink>
      )}
      {job.backup_id && (
        <ButtonLink to={`/backups/${job.backup_id}`} variant="light">
          The backup
        </ButtonLink>
      )}
      {job.restore_id && (
        <ButtonLink to={`/restores/${job.restore_id}`} variant="light">
          The restore
        </ButtonLink>
      )}
    </>
  );
}
