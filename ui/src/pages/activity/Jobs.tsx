// The jobs that make machines, and how far each one is.
import { Anchor, Code, Modal, Stack, Text } from "@mantine/core";
import { IconBox } from "@tabler/icons-react";
import { useState } from "react";
import { useList, useOne } from "../../api/lists";
import { useBackendTitles } from "../../api/names";
import type { Job } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { exact } from "../../format/time";
import { words } from "../../format/words";

export function Jobs() {
  const list = useList("job", "/jobs");
  const backend = useBackendTitles();
  const [shown, setShown] = useState<number>();
  const columns: Column<Job>[] = [
    {
      header: "Job",
      width: "minmax(140px, 1.5fr)",
      cell: ({ row: { original } }) => (
        <Anchor component="button" type="button" size="sm" c="inherit" onClick={() => setShown(original.id)}>
          {words(original.kind)} {original.id}
        </Anchor>
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
    hint: "Orders of machines are listed here, with their logs.",
  };
  return (
    <div className="panel">
      <DataTable label="Jobs" list={list} columns={columns} empty={empty} rowKey={(one) => String(one.id)} />
      <Modal
        opened={shown !== undefined}
        onClose={() => setShown(undefined)}
        title={`Job ${shown}`}
        size="lg"
      >
        {shown !== undefined && <Log id={shown} />}
      </Modal>
    </div>
  );
}

function Log({ id }: { id: number }) {
  const { data: job } = useOne("job", "/jobs/{id}", { path: { id } });
  if (!job) return null;
  return (
    <Stack gap="xs">
      {job.reason && <Text c="red">{job.reason}</Text>}
      <Code block>
        {job.log.map((line) => `${exact(line.at)}  ${line.text}`).join("\n") || "Nothing yet."}
      </Code>
    </Stack>
  );
}
