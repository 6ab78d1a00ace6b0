// A task of a vault: a drill, a copy or a repair, live while it goes on, and what came of it.
import { Alert, Button, List, Loader } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { VaultTask } from "../../api/schema";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { PageHeader } from "../../components/PageHeader";
import { RunProgress } from "../../components/RunProgress";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, count, plural } from "../../format/bytes";
import { words } from "../../format/words";
import { isOver } from "../backups/runs";

const ABOUT = {
  drill: "A sample of files of the last good backups is restored to scratch, and compared with what was backed up.",
  copy: "Backups are put into another repository.",
  repair: "What is left of a damaged vault is saved.",
};

export default function TaskPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("vault_task", "/vault-tasks/{id}", { path: { id } });
  const mayStop = useMay("creator");
  const stop = useAction(() => post("/vault-tasks/{id}/stop", { path: { id } }), {
    changes: ["vault_task", "activity"],
    done: "It is being stopped. What it has done stays.",
  });
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the task" />;
  const task = found.data;
  const problems = task.drill?.problems ?? task.copy?.problems ?? task.repair?.problems ?? [];
  return (
    <>
      <PageHeader title={words(task.kind)} about={ABOUT[task.kind]} badge={<StateBadge state={task.state} />}>
        {mayStop && !isOver(task.state) && (
          <Button variant="default" className="danger" loading={stop.isPending} onClick={() => stop.mutate()}>
            Stop
          </Button>
        )}
      </PageHeader>
      {task.reason && (
        <Alert color={task.state === "failed" ? "red" : "yellow"} mb="md">
          {task.reason}
        </Alert>
      )}
      {!isOver(task.state) && (
        <Section title="How far it is">
          <RunProgress progress={task.progress} verb="done" />
        </Section>
      )}
      <Section title="About it">
        <Facts
          facts={[
            ["Asked for", <When key="a" at={task.created_at} absolute />],
            ["Began", task.started_at && <When at={task.started_at} absolute />],
            ["Ended", task.completed_at && <When at={task.completed_at} absolute />],
            ...outcome(task),
          ]}
        />
      </Section>
      {problems.length > 0 && (
        <Section title="What is lost or did not come back">
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

function outcome({ drill, copy, repair }: VaultTask): [string, string][] {
  if (drill) {
    return [
      ["Came back as backed up", `${plural(drill.files_restored ?? 0, "file")}, ${bytes(drill.bytes_restored ?? 0)}`],
      ["Of", `${plural(drill.files_held ?? 0, "file")} in ${plural(drill.backup_ids?.length ?? 0, "backup")}`],
    ];
  }
  if (copy) {
    return [
      ["Copied", plural(copy.backups_copied ?? 0, "backup")],
      ["There already", plural(copy.backups_skipped ?? 0, "backup")],
      ["Not copied", plural(copy.backups_failed ?? 0, "backup")],
      ["The destination grew by", bytes(copy.bytes_added ?? 0)],
    ];
  }
  if (!repair) return [];
  return [
    ["Index", repair.index_rewritten ? "Made anew" : "As it should be"],
    ["Damaged packs", count(repair.packs_damaged ?? 0)],
    ["Unreadable packs", count(repair.packs_unreadable ?? 0)],
    ["Parts of files saved", count(repair.parts_saved ?? 0)],
    ["Parts of files lost", count(repair.parts_lost ?? 0)],
    ["Backups with holes", count(repair.backups_with_holes?.length ?? 0)],
    ["Backups lost", count(repair.backups_lost?.length ?? 0)],
  ];
}
