// A table of backup configurations, on whatever page.
import { IconCalendarTime } from "@tabler/icons-react";
import { useList } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
import type { BackupConfiguration } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { StartBackup } from "./StartBackup";
import { tellSchedule } from "./schedule";

export function ConfigurationTable({ agentId }: { agentId?: number }) {
  const list = useList("backup_configuration", "/backup-configurations", { query: { agent_id: agentId } });
  const agent = useAgentNames();
  const mayMake = useMay("creator");
  const columns: Column<BackupConfiguration>[] = [
    {
      header: "Name",
      width: "minmax(120px, 1.6fr)",
      cell: ({ row: { original } }) => (
        <>
          <GoTo to={`/configurations/${original.id}`}>{original.name}</GoTo>{" "}
          {!original.enabled && <StateBadge state="disabled" />}
        </>
      ),
    },
    ...(agentId
      ? []
      : [
          {
            header: "Agent",
            width: "minmax(90px, 1fr)",
            wide: true,
            cell: ({ row }) => agent(row.original.agent_id),
          } as Column<BackupConfiguration>,
        ]),
    {
      header: "What",
      width: "minmax(110px, 1.6fr)",
      wide: true,
      cell: ({ row }) => <span className="mono">{row.original.inclusions.join(", ")}</span>,
    },
    {
      header: "Runs",
      width: "minmax(110px, 1.2fr)",
      wide: true,
      cell: ({ row }) => tellSchedule(row.original.schedule),
    },
    { header: "Next", width: "100px", cell: ({ row }) => <When at={row.original.next_runtime} /> },
    {
      header: "Start",
      width: "96px",
      right: true,
      cell: ({ row }) => mayMake && row.original.enabled && <StartBackup id={row.original.id} />,
    },
  ];
  const to = agentId ? `/configurations/create?agent=${agentId}` : "/configurations/create";
  const empty = {
    icon: IconCalendarTime,
    title: "No configurations yet",
    hint: "A configuration says what an agent backs up, when, and how long it is kept.",
    action: mayMake && <ButtonLink to={to}>Make one</ButtonLink>,
  };
  return (
    <DataTable
      label="Configurations"
      list={list}
      columns={columns}
      empty={empty}
      rowKey={(one) => String(one.id)}
      href={(one) => `/configurations/${one.id}`}
    />
  );
}
