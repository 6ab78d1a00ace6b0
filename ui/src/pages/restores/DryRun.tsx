// What a restore would do, found out by the agent, which looks at its files and changes none.
import { Alert, Button, Group, Loader, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import type { NewRestore, Restore } from "../../api/schema";
import { Known } from "../../components/Known";
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
  const found = useOne("restore", "/restores/{id}", { path: { id } });
  return (
    <Known of={found} reading="what it would do">
      {(restore) => <Told restore={restore} />}
    </Known>
  );
}

function Told({ restore }: { restore: Restore }) {
  const told = hasReport(restore.state);
  const report = useOne("restore", "/restores/{id}/report", { path: { id: restore.id } }, told);
  const none = <Alert color="yellow">{restore.reason ?? "The agent told of no plan."}</Alert>;
  if (told) {
    return (
      <Known of={report} reading="the plan">
        {({ plan }) => (plan ? <RestorePlan plan={plan} /> : none)}
      </Known>
    );
  }
  if (isOver(restore.state)) return none;
  return (
    <Group>
      <Loader size="sm" aria-label="Waiting for the agent" />
      <Text size="sm">The agent looks at its files.</Text>
    </Group>
  );
}
