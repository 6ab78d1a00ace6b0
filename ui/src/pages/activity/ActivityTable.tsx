// A table of activities, on whatever page.
import { IconHistory } from "@tabler/icons-react";
import type { List } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { Activity } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { span } from "../../format/time";
import { words } from "../../format/words";
import { activityPath } from "./path";

export function ActivityTable({ list }: { list: List<Activity> }) {
  const agent = useAgentNames();
  const columns: Column<Activity>[] = [
    {
      header: "Name",
      width: "minmax(110px, 2fr)",
      cell: ({ row: { original } }) => <GoTo to={activityPath(original)}>{original.name}</GoTo>,
    },
    { header: "Kind", width: "90px", wide: true, cell: ({ row }) => words(row.original.kind) },
    {
      header: "State",
      width: "minmax(104px, 0.9fr)",
      cell: ({ row }) => <StateBadge state={row.original.state} />,
    },
    {
      header: "Agent",
      width: "minmax(100px, 1fr)",
      wide: true,
      cell: ({ row }) => agent(row.original.agent_id),
    },
    {
      header: "Why",
      width: "minmax(80px, 1.6fr)",
      wide: true,
      cell: ({ row }) => <span title={row.original.reason ?? undefined}>{row.original.reason ?? ""}</span>,
    },
    { header: "Took", width: "90px", wide: true, right: true, cell: ({ row }) => took(row.original) },
    { header: "Asked for", width: "92px", cell: ({ row }) => <When at={row.original.created_at} /> },
  ];
  const empty = {
    icon: IconHistory,
    title: "Nothing has happened",
    hint: "Backups, restores, checks and cleanups are listed here.",
  };
  return (
    <DataTable
      label="Activity"
      list={list}
      columns={columns}
      empty={empty}
      rowKey={(one) => `${one.kind}-${one.id}`}
      href={activityPath}
    />
  );
}

function took(activity: Activity): string {
  if (!activity.started_at || !activity.completed_at) return "–";
  return span((Date.parse(activity.completed_at) - Date.parse(activity.started_at)) / 1000);
}
