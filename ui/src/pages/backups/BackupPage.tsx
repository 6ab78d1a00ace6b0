// One backup: live while it runs, with its report once it has ended.
import { Alert, Button, Group, Loader } from "@mantine/core";
import { IconArrowsDiff, IconFolderOpen, IconPlayerStop, IconRestore, IconServerBolt } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames, useConfigurationNames, useIsSealed } from "../../api/names";
import type { Backup, BackupReport } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { GoTo } from "../../components/GoTo";
import { Known } from "../../components/Known";
import { PageHeader } from "../../components/PageHeader";
import { RunErrors } from "../../components/RunErrors";
import { RunProgress } from "../../components/RunProgress";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, plural } from "../../format/bytes";
import { span } from "../../format/time";
import { words } from "../../format/words";
import { RestoreWizard } from "../restores/RestoreWizard";
import { hasReport, isOver } from "./runs";

export default function BackupPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("backup", "/backups/{id}", { path: { id } });
  const over = found.data ? hasReport(found.data.state) : false;
  const report = useOne("backup", "/backups/{id}/report", { path: { id } }, over);
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the backup" />;
  const backup = found.data;
  return (
    <>
      <PageHeader title={backup.name} badge={<StateBadge state={backup.state} />}>
        <Actions backup={backup} />
      </PageHeader>
      {backup.reason && (
        <Alert color={backup.state === "failed" ? "red" : "yellow"} mb="md" title={words(backup.state)}>
          {backup.reason}
        </Alert>
      )}
      {!isOver(backup.state) && (
        <Section title="How far it is">
          <RunProgress progress={backup.progress} verb="backed up" />
        </Section>
      )}
      <Section title="About it">
        <About backup={backup} report={report.data} />
      </Section>
      {over && (
        <Known of={report} reading="the report" quiet>
          {({ errors, error_count }) =>
            error_count > 0 && <RunErrors of="backup" id={id} first={errors} count={error_count} />
          }
        </Known>
      )}
    </>
  );
}

function Actions({ backup }: { backup: Backup }) {
  const mayMake = useMay("creator");
  const mayRebuild = useMay("admin");
  const stop = useAction(() => post("/backups/{id}/stop", { path: { id: backup.id } }), {
    changes: ["backup", "activity"],
    done: "It is being stopped. The vault stays sound.",
  });
  const restorable = isOver(backup.state) && backup.snapshot_id;
  const readable = useIsSealed(backup.vault_id) === false;
  return (
    <Group gap="xs">
      {mayMake && !isOver(backup.state) && (
        <Button
          variant="default"
          className="danger"
          leftSection={<IconPlayerStop size={16} />}
          disabled={backup.state === "stop_requested"}
          loading={stop.isPending}
          onClick={() => stop.mutate()}
        >
          Stop
        </Button>
      )}
      {restorable && readable && (
        <ButtonLink
          to={`/backups/${backup.id}/files`}
          variant="default"
          leftSection={<IconFolderOpen size={16} />}
        >
          Browse its files
        </ButtonLink>
      )}
      {restorable && readable && (
        <ButtonLink
          to={`/backups/${backup.id}/compare`}
          variant="default"
          leftSection={<IconArrowsDiff size={16} />}
        >
          Compare
        </ButtonLink>
      )}
      {restorable && mayRebuild && readable && (
        <ButtonLink
          to={`/backups/${backup.id}/rebuild`}
          variant="default"
          leftSection={<IconServerBolt size={16} />}
        >
          Rebuild a machine
        </ButtonLink>
      )}
      {restorable && mayMake && (
        <RestoreWizard backup={backup} label="Restore it" icon={<IconRestore size={16} />} />
      )}
    </Group>
  );
}

function About({ backup, report }: { backup: Backup; report?: BackupReport }) {
  const agent = useAgentNames();
  const configuration = useConfigurationNames();
  return (
    <Facts
      facts={[
        [
          "Agent",
          <GoTo key="a" to={`/agents/${backup.agent_id}`}>
            {agent(backup.agent_id)}
          </GoTo>,
        ],
        [
          "Configuration",
          <GoTo key="c" to={`/configurations/${backup.configuration_id}`}>
            {configuration(backup.configuration_id)}
          </GoTo>,
        ],
        [
          "Began because",
          { asked: "Somebody asked", schedule: "Its schedule said so", made_up: "A missed time was made up" }[
            backup.origin
          ],
        ],
        ["Began", backup.started_at && <When at={backup.started_at} absolute />],
        ["Ended", backup.completed_at && <When at={backup.completed_at} absolute />],
        ["Took", report && span(report.duration_seconds)],
        ["Looked at", report && `${plural(report.files_searched, "file")}, ${bytes(report.bytes_searched)}`],
        [
          "New or changed",
          report && `${plural(report.files_backed_up, "file")}, ${bytes(report.bytes_backed_up)}`,
        ],
        ["The vault grew by", report && bytes(report.bytes_added)],
        ["Not readable", report && report.error_count > 0 && plural(report.error_count, "file")],
        ["Forgotten", backup.forgotten_at && <When at={backup.forgotten_at} absolute />],
        ["Snapshot", backup.snapshot_id && <span className="mono">{backup.snapshot_id}</span>],
      ]}
    />
  );
}
