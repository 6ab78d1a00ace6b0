// The audit log: who did what, to what, from where; and whether it is whole.
import { Alert, Button } from "@mantine/core";
import { IconListDetails } from "@tabler/icons-react";
import { useAction } from "../../api/action";
import { get } from "../../api/call";
import { useList } from "../../api/lists";
import type { AuditEntry } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { When } from "../../components/When";
import { plural } from "../../format/bytes";
import { words } from "../../format/words";

const COLUMNS: Column<AuditEntry>[] = [
  { header: "When", width: "132px", cell: ({ row }) => <When at={row.original.at} absolute /> },
  { header: "Who", width: "minmax(70px, 1fr)", accessorKey: "actor" },
  {
    header: "What",
    width: "minmax(100px, 1.4fr)",
    cell: ({ row }) => <span title={words(row.original.action)}>{words(row.original.action)}</span>,
  },
  {
    header: "To what",
    width: "minmax(90px, 1.4fr)",
    wide: true,
    cell: ({ row }) => <span className="mono">{row.original.target}</span>,
  },
  {
    header: "From",
    width: "130px",
    wide: true,
    cell: ({ row }) => <span className="mono">{row.original.source}</span>,
  },
];

export default function Audit() {
  const list = useList("audit", "/audit");
  const verify = useAction(() => get("/audit/verification"), { changes: [] });
  const whole = verify.data && !verify.data.broken_at;
  const empty = { icon: IconListDetails, title: "Nothing has been done yet" };
  return (
    <>
      <PageHeader
        title="Audit log"
        about="Every change, newest first. Each entry carries a hash of the one before it."
      >
        <Button variant="default" loading={verify.isPending} onClick={() => verify.mutate()}>
          Verify it
        </Button>
      </PageHeader>
      {verify.data && (
        <Alert
          color={whole ? "green" : "red"}
          mb="md"
          role="status"
          withCloseButton
          onClose={() => verify.reset()}
        >
          {whole
            ? `It is whole: ${plural(verify.data.entries, "entry", "entries")} looked at.`
            : `It is broken at entry ${verify.data.broken_at}: that entry does not follow from the one before it.`}
        </Alert>
      )}
      <div className="panel">
        <DataTable
          label="Audit log"
          list={list}
          columns={COLUMNS}
          empty={empty}
          rowKey={(one) => String(one.id)}
        />
      </div>
    </>
  );
}
