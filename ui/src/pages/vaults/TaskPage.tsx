// A task of a vault: a drill, a copy or a repair, live while it goes on, and what came of it.
import { Alert, Loader } from "@mantine/core";
import { useParams } from "@tanstack/react-router";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { RepairReport, VaultTask } from "../../api/schema";
import { Failure } from "../../components/Failure";
import { bytes, count, plural } from "../../format/bytes";
import { words } from "../../format/words";
import { isOver } from "../backups/runs";
import { RepairButton } from "./RepairVault";
import { StopTask } from "./RunningTasks";
import { VaultRun } from "./VaultRun";

const ABOUT = {
  drill: "A sample of files of the last good backups is restored to scratch, and compared with what was backed up.",
  copy: "Backups are put into another repository.",
  repair: "What is left of a damaged vault is saved.",
};

export default function TaskPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("vault_task", "/vault-tasks/{id}", { path: { id } });
  const mayRepair = useMay("admin");
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the task" />;
  const task = found.data;
  const isPlan = task.repair?.dry_run === true;
  const notice = isPlan && (
    <Alert color="gray" mb="md" title="It changed nothing">
      It was asked what it would do. {isSound(task.repair) && "Nothing is damaged, so there is nothing to repair."}
    </Alert>
  );
  return (
    <VaultRun
      work={task}
      title={words(task.kind)}
      about={ABOUT[task.kind]}
      actions={
        <>
          <StopTask task={task} />
          {isPlan && mayRepair && isOver(task.state) && <RepairButton vaultId={task.vault_id} />}
        </>
      }
      notice={notice}
      outcome={outcome(task)}
      problems={task.drill?.problems ?? task.copy?.problems ?? task.repair?.problems ?? []}
      wrong="What is lost or did not come back"
    />
  );
}

/** Whether a repair found nothing to do. */
function isSound(report?: RepairReport | null): boolean {
  const { index_rewritten, packs_unreadable, packs_damaged, backups_with_holes, backups_lost } = report ?? {};
  return !index_rewritten && !packs_unreadable && !packs_damaged && !backups_with_holes?.length && !backups_lost?.length;
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
    ["Index", repair.index_rewritten ? (repair.dry_run ? "Would be made anew" : "Made anew") : "As it should be"],
    ["Damaged packs", count(repair.packs_damaged ?? 0)],
    ["Unreadable packs", count(repair.packs_unreadable ?? 0)],
    [repair.dry_run ? "Parts of files that can be saved" : "Parts of files saved", count(repair.parts_saved ?? 0)],
    ["Parts of files lost", count(repair.parts_lost ?? 0)],
    ["Backups with holes", count(repair.backups_with_holes?.length ?? 0)],
    ["Backups lost", count(repair.backups_lost?.length ?? 0)],
  ];
}
