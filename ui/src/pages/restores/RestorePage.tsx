// One restore: live while it runs, with its report once it has ended.
import { Alert, Button, Loader } from "@mantine/core";
import { IconPlayerStop } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
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
import { RestorePlan } from "./RestorePlan";
import { effectOf } from "./rules";
import { hasReport, isOver } from "../backups/runs";

export default function RestorePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("restore", "/restores/{id}", { path: { id } });
  const over = found.data ? hasReport(found.data.state) : false;
  const told = useOne("restore", "/restores/{id}/report", { path: { id } }, over);
  const report = told.data;
  const agent = useAgentNames();
  const mayStop = useMay("creator");
  const stop = useAction(() => post("/restores/{id}/stop", { path: { id } }), {
    changes: ["restore", "activity"],
    done: "It is being stopped. What was written stays.",
  });
  const of = found.data?.backup_id ?? 0;
  const backup = useOne("backup", "/backups/{id}", { path: { id: of } }, of !== 0);
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the restore" />;
  const restore = found.data;
  return (
    <>
      <PageHeader title={restore.name} badge={<StateBadge state={restore.state} />}>
        {mayStop && !isOver(restore.state) && (
          <Button
            variant="default"
            className="danger"
            leftSection={<IconPlayerStop size={16} />}
            loading={stop.isPending}
            onClick={() => stop.mutate()}
          >
            Stop
          </Button>
        )}
      </PageHeader>
      {restore.reason && (
        <Alert color={restore.state === "failed" ? "red" : "yellow"} mb="md" title={words(restore.state)}>
          {restore.reason}
        </Alert>
      )}
      {restore.dry_run && (
        <Alert color="gray" mb="md" title="It changes nothing">
          It was asked what it would do; its files stay as they are.
        </Alert>
      )}
      {report?.ok && !restore.dry_run && (
        <Alert color="green" mb="md" title="Everything was restored">
          {plural(report.files_restored, "file")}, {bytes(report.bytes_restored)}; each was verified by its
          hash as it was written.
        </Alert>
      )}
      {!isOver(restore.state) && (
        <Section title="How far it is">
          <RunProgress progress={restore.progress} verb="written" />
        </Section>
      )}
      <Section title="About it">
        <Facts
          facts={[
            [
              "Backup",
              <GoTo key="b" to={`/backups/${restore.backup_id}`}>
                {backup.data?.name ?? `backup ${restore.backup_id}`}
              </GoTo>,
            ],
            [
              "To",
              <GoTo key="a" to={`/agents/${restore.agent_id}`}>
                {agent(restore.agent_id)}
              </GoTo>,
            ],
            [
              "Under",
              <span key="p" className="mono">
                {restore.path}
              </span>,
            ],
            [
              "Only",
              restore.inclusions.length > 0 && <span className="mono">{restore.inclusions.join(", ")}</span>,
            ],
            ["Files that are there", effectOf(restore.overwrite_rule)],
            ["Began", restore.started_at && <When at={restore.started_at} absolute />],
            ["Ended", restore.completed_at && <When at={restore.completed_at} absolute />],
            ["Took", report && span(report.duration_seconds)],
            [
              "Written",
              report && `${plural(report.files_restored, "file")}, ${bytes(report.bytes_restored)}`,
            ],
            ["Left as they were", report && plural(report.files_skipped, "file")],
          ]}
        />
      </Section>
      {over && (
        <Known of={told} reading="the report" quiet>
          {({ plan, errors, error_count }) => (
            <>
              {plan && (
                <Section title="What it would do">
                  <RestorePlan plan={plan} />
                </Section>
              )}
              {error_count > 0 && <RunErrors of="restore" id={id} first={errors} count={error_count} />}
            </>
          )}
        </Known>
      )}
    </>
  );
}
