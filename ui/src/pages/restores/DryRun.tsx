// What a restore would do, found out by the agent, which looks at its files and changes none.
import { Alert, Button, Group, Loader, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import type { NewRestore } from "../../api/schema";
import { hasReport, isOver } from "../backups/runs";
import { RestorePlan } from "./RestorePlan";

export function DryRun({ order }: { order: () => Promise<NewRestore> }) {
  const ask = useAction(async () => post("/restores", {}, { ...(await order()), dry_run: true }), {
    changes: ["activity"],
    quiet: true,
  });
  if (ask.data) return <Found id={ask.data.id} />;
  return (
    <>
      {ask.error && <Alert color="red">{ask.error.message}</Alert>}
      <Group>
        <Button size="xs" variant="light" loading={ask.isPending} onClick={() => ask.mutate()}>
          See what it would do, file by file
        </Button>
      </Group>
    </>
  );
}

function Found({ id }: { id: number }) {
  const where = { path: { id } };
  const { data: restore } = useOne("restore", "/restores/{id}", where);
  const told = restore ? hasReport(restore.state) : false;
  const { data: report } = useOne("restore", "/restores/{id}/report", where, told);
  if (report?.plan) return <RestorePlan plan={report.plan} />;
  if (restore && isOver(restore.state) && (report || !told))
    return <Alert color="yellow">{restore.reason ?? "The agent told of no plan."}</Alert>;
  return (
    <Group>
      <Loader size="sm" aria-label="Waiting for the agent" />
      <Text size="sm">The agent looks at its files.</Text>
    </Group>
  );
}
