// One command: how it goes on each machine, and what they print.
import { Alert, Button, Code, Loader } from "@mantine/core";
import { IconPlayerStop, IconServer2 } from "@tabler/icons-react";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useList, useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Command, CommandMachine } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { type Column, DataTable } from "../../components/DataTable";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, plural } from "../../format/bytes";
import { span } from "../../format/time";
import { CommandText } from "./CommandText";
import { firstLine } from "./Commands";

export default function CommandPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const found = useOne("command", "/commands/{id}", { path: { id } });
  const machines = useList("command", "/commands/{id}/machines", { path: { id } });
  const [shown, setShown] = useState<string | null>(null);
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label="Reading the command" />;
  const command = found.data;
  const name = (machine: string) =>
    machines.items.find((one) => one.machine_id === machine)?.machine_name ?? machine;
  return (
    <>
      <PageHeader title={firstLine(command.script)} badge={<StateBadge state={command.state} />}>
        <Actions command={command} machines={machines.items} />
      </PageHeader>
      {command.reason && (
        <Alert color="red" mb="md">
          {command.reason}
        </Alert>
      )}
      <Section title="About it">
        <About command={command} />
      </Section>
      <Section title="Machines" flush>
        <DataTable
          label="Machines"
          list={machines}
          columns={columns(shown, setShown)}
          empty={{ icon: IconServer2, title: "It ran on no machine" }}
          rowKey={(one) => one.machine_id}
        />
      </Section>
      <CommandText id={id} machine={shown} name={name} onAll={() => setShown(null)} />
    </>
  );
}

function Actions({ command, machines }: { command: Command; machines: CommandMachine[] }) {
  const mayRun = useMay("admin");
  const cancel = useAction(() => post("/commands/{id}/cancel", { path: { id: command.id } }), {
    changes: ["command"],
    done: "It is being ended everywhere. What it has done already stays done.",
  });
  if (!mayRun) return null;
  if (!command.completed_at) {
    return (
      <Button
        variant="default"
        className="danger"
        leftSection={<IconPlayerStop size={16} />}
        loading={cancel.isPending}
        onClick={() => cancel.mutate()}
      >
        Cancel
      </Button>
    );
  }
  const ids = machines.map((one) => one.machine_id).join(",");
  return (
    <ButtonLink to={`/commands/run?machines=${ids}`} variant="default">
      Run another there
    </ButtonLink>
  );
}

function About({ command }: { command: Command }) {
  const ended = command.completed + command.failed;
  return (
    <>
      {command.script.includes("\n") && (
        <Code block mb="sm" tabIndex={0} aria-label="The script">
          {command.script}
        </Code>
      )}
      <Facts
        facts={[
          ["On", plural(command.total, "machine")],
          ["Ended", `on ${ended}; on ${command.completed} of them well`],
          ["At once", `${command.parallel} machines`],
          ["Ended after", span(command.timeout_seconds)],
          ["Asked for by", command.created_by],
          ["Asked for", <When key="a" at={command.created_at} absolute />],
          ["Ended at", command.completed_at && <When at={command.completed_at} absolute />],
        ]}
      />
    </>
  );
}

function columns(shown: string | null, show: (machine: string) => void): Column<CommandMachine>[] {
  return [
    {
      header: "Name",
      width: "minmax(100px, 1.4fr)",
      cell: ({ row: { original } }) => (
        <GoTo to={`/machines/${original.machine_id}`}>{original.machine_name}</GoTo>
      ),
    },
    { header: "State", width: "104px", cell: ({ row }) => <StateBadge state={row.original.state} /> },
    { header: "Status", width: "60px", right: true, wide: true, cell: ({ row }) => row.original.exit_code ?? "–" },
    {
      header: "Why",
      width: "minmax(80px, 2fr)",
      wide: true,
      cell: ({ row }) => <span title={row.original.reason ?? undefined}>{row.original.reason}</span>,
    },
    {
      header: "Printed",
      width: "90px",
      right: true,
      wide: true,
      cell: ({ row }) => bytes(row.original.output_bytes),
    },
    { header: "Took", width: "80px", right: true, wide: true, cell: ({ row }) => took(row.original) },
    {
      header: "Output",
      width: "96px",
      right: true,
      cell: ({ row: { original } }) => (
        <Button
          size="compact-xs"
          variant={shown === original.machine_id ? "filled" : "default"}
          aria-pressed={shown === original.machine_id}
          aria-label={`Only this: the output of ${original.machine_name}`}
          onClick={() => show(original.machine_id)}
        >
          Only this
        </Button>
      ),
    },
  ];
}

function took(machine: CommandMachine): string {
  if (!machine.started_at || !machine.completed_at) return "–";
  return span((Date.parse(machine.completed_at) - Date.parse(machine.started_at)) / 1000);
}
