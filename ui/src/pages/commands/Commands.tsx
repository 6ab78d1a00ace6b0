// The commands that were run on machines, newest first.
import { IconTerminal2 } from "@tabler/icons-react";
import { useList } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Command } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { count } from "../../format/bytes";

const COLUMNS: Column<Command>[] = [
  {
    header: "Command",
    width: "minmax(120px, 2.4fr)",
    cell: ({ row: { original } }) => (
      <GoTo to={`/commands/${original.id}`}>
        <span className="mono">{firstLine(original.script)}</span>
      </GoTo>
    ),
  },
  { header: "State", width: "104px", cell: ({ row }) => <StateBadge state={row.original.state} /> },
  {
    header: "Machines",
    width: "90px",
    right: true,
    wide: true,
    cell: ({ row }) => count(row.original.total),
  },
  { header: "Well", width: "70px", right: true, wide: true, cell: ({ row }) => count(row.original.completed) },
  { header: "Failed", width: "70px", right: true, cell: ({ row }) => count(row.original.failed) },
  { header: "By", width: "minmax(80px, 0.8fr)", wide: true, accessorKey: "created_by" },
  {
    header: "Asked for",
    width: "110px",
    wide: true,
    cell: ({ row }) => <When at={row.original.created_at} />,
  },
];

export default function Commands() {
  const list = useList("command", "/commands");
  const mayRun = useMay("admin");
  const run = mayRun && (
    <ButtonLink to="/commands/run" leftSection={<IconTerminal2 size={16} />}>
      Run a command
    </ButtonLink>
  );
  const empty = {
    icon: IconTerminal2,
    title: "Nothing was run yet",
    hint: "A command or a script is run on as many machines as you choose, and what each of them prints is shown as it comes.",
    action: run,
  };
  return (
    <>
      <PageHeader title="Run" about="Commands on many machines at once. They are kept for 30 days after their end.">
        {run}
      </PageHeader>
      <div className="panel">
        <DataTable
          label="Commands"
          list={list}
          columns={COLUMNS}
          empty={empty}
          rowKey={(one) => String(one.id)}
          href={(one) => `/commands/${one.id}`}
        />
      </div>
    </>
  );
}

/** What a script begins with, its interpreter's line left out. */
export function firstLine(script: string): string {
  const lines = script.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#!"));
  return lines[0] ?? script;
}
