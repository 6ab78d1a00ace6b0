// A table of backups, on whatever page.
import { Progress } from "@mantine/core";
import { IconArchive } from "@tabler/icons-react";
import { useList } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { Backup, BackupQuery } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, count } from "../../format/bytes";
import { isOver } from "./runs";

export function BackupTable({ query }: { query: BackupQuery }) {
  const list = useList("backup", "/backups", { query });
  const agent = useAgentNames();
  const columns: Column<Backup>[] = [
    {
      header: "Name",
      width: "minmax(110px, 1.8fr)",
      cell: ({ row: { original } }) => <GoTo to={`/backups/${original.id}`}>{original.name}</GoTo>,
    },
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
      header: "Files",
      width: "90px",
      right: true,
      wide: true,
      cell: ({ row }) => count(row.original.progress.files_searched ?? 0),
    },
    {
      header: "Size",
      width: "minmax(90px, 0.6fr)",
      right: true,
      wide: true,
      cell: ({ row }) => <Bytes backup={row.original} />,
    },
    {
      header: "Added",
      width: "90px",
      right: true,
      wide: true,
      cell: ({ row }) => bytes(row.original.progress.bytes_added ?? 0),
    },
    { header: "Asked for", width: "92px", cell: ({ row }) => <When at={row.original.created_at} /> },
  ];
  const empty = {
    icon: IconArchive,
    title: "No backups yet",
    hint: "They are listed here as soon as a configuration runs.",
  };
  return (
    <DataTable
      label="Backups"
      list={list}
      columns={columns}
      empty={empty}
      rowKey={(one) => String(one.id)}
      href={(one) => `/backups/${one.id}`}
    />
  );
}

function Bytes({ backup }: { backup: Backup }) {
  const { bytes_searched: done = 0, bytes_total: total = 0 } = backup.progress;
  if (isOver(backup.state)) return bytes(done);
  const share = total > 0 ? (done / total) * 100 : 0;
  return <Progress value={share} aria-label={`${backup.name}: ${share.toFixed(0)} %`} />;
}
