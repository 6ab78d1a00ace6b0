// The jobs that make machines, and how far each one is.
import { IconBox } from "@tabler/icons-react";
import { useList } from "../../api/lists";
import { useBackendTitles } from "../../api/names";
import type { Job } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { jobName } from "./jobName";

export function Jobs() {
  const list = useList("job", "/jobs");
  const backend = useBackendTitles();
  const columns: Column<Job>[] = [
    {
      header: "Job",
      width: "minmax(140px, 1.5fr)",
      cell: ({ row: { original } }) => (
        <GoTo to={`/jobs/${original.id}`}>{jobName(original)}</GoTo>
      ),
    },
    { header: "State", width: "104px", cell: ({ row }) => <StateBadge state={row.original.state} /> },
    {
      header: "Backend",
      width: "minmax(100px, 1fr)",
      wide: true,
      cell: ({ row }) => backend(row.original.backend_id),
    },
    {
      header: "Ready",
      width: "80px",
      right: true,
      cell: ({ row }) => `${row.original.done} of ${row.original.total}`,
    },
    { header: "Why", width: "minmax(80px, 1.5fr)", wide: true, cell: ({ row }) => row.original.reason ?? "" },
    {
      header: "Asked for",
      width: "110px",
      wide: true,
      cell: ({ row }) => <When at={row.original.created_at} />,
    },
  ];
  const empty = {
    icon: IconBox,
    title: "No jobs",
    hint: "Orders of machines, and what puts agents on them, are listed here, with their logs.",
  };
  return (
    <div className="panel">
      <DataTable label="Jobs" list={list} columns={columns} empty={empty} rowKey={(one) => String(one.id)} href={(one) => `/jobs/${one.id}`} />
    </div>
  );
}
