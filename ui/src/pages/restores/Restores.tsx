// All restores.
import { IconRestore } from "@tabler/icons-react";
import { useList } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { Restore } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, count } from "../../format/bytes";

export default function Restores() {
  const list = useList("restore", "/restores");
  const agent = useAgentNames();
  const columns: Column<Restore>[] = [
    {
      header: "Name",
      width: "minmax(110px, 1.8fr)",
      cell: ({ row: { original } }) => <GoTo to={`/restores/${original.id}`}>{original.name}</GoTo>,
    },
    {
      header: "State",
      width: "minmax(104px, 0.9fr)",
      cell: ({ row }) => <StateBadge state={row.original.state} />,
    },
    {
      header: "To",
      width: "minmax(100px, 1fr)",
      wide: true,
      cell: ({ row }) => agent(row.original.agent_id),
    },
    {
      header: "Under",
      width: "minmax(110px, 1.2fr)",
      wide: true,
      cell: ({ row }) => <span className="mono">{row.original.path}</span>,
    },
    {
      header: "Files",
      width: "90px",
      right: true,
      wide: true,
      cell: ({ row }) => count(row.original.progress.files_done ?? 0),
    },
    {
      header: "Size",
      width: "90px",
      right: true,
      wide: true,
      cell: ({ row }) => bytes(row.original.progress.bytes_done ?? 0),
    },
    { header: "Asked for", width: "92px", cell: ({ row }) => <When at={row.original.created_at} /> },
  ];
  const action = (
    <ButtonLink to="/backups" variant="light">
      To the backups
    </ButtonLink>
  );
  const empty = {
    icon: IconRestore,
    title: "No restores yet",
    hint: "A restore begins at a backup: the whole of it, or files of it.",
    action,
  };
  return (
    <>
      <PageHeader title="Restores" about="Running and past, newest first." />
      <div className="panel">
        <DataTable
          label="Restores"
          list={list}
          columns={columns}
          empty={empty}
          rowKey={(one) => String(one.id)}
          href={(one) => `/restores/${one.id}`}
        />
      </div>
    </>
  );
}
