// How far a job is, with its log, and what came of it.
import { Alert, Code, Group, Loader, ScrollArea, Stack, Text } from "@mantine/core";
import { useOne } from "../../api/lists";
import type { Job } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { StateBadge } from "../../components/StateBadge";
import { exact } from "../../format/time";

export function JobStanding({ id }: { id: number }) {
  const { data: job } = useOne("job", "/jobs/{id}", { path: { id } });
  if (!job) return <Loader size="sm" aria-label="Reading the job" />;
  return (
    <Stack gap="sm">
      <Group gap="xs" role="status">
        <StateBadge state={job.state} />
        {!job.completed_at && <Text size="sm">It goes on when this page is left.</Text>}
      </Group>
      {job.reason && <Alert color="red">{job.reason}</Alert>}
      <ScrollArea.Autosize mah="40dvh" tabIndex={0} aria-label="Log of the job">
        <Code block>{job.log.map((line) => `${exact(line.at)}  ${line.text}`).join("\n") || "Nothing yet."}</Code>
      </ScrollArea.Autosize>
      <Group justify="flex-end">
        <Outcome job={job} />
      </Group>
    </Stack>
  );
}

function Outcome({ job }: { job: Job }) {
  return (
    <>
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
