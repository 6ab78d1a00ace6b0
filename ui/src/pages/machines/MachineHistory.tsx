// What has happened to a machine, as the server saw it.
import { IconHistory } from "@tabler/icons-react";
import { useList } from "../../api/lists";
import type { MachineHistory as Happening } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { Section } from "../../components/Section";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";

const WORDS = { appear: "Appeared", vanish: "Vanished", state: "Changed its state" };
const COLUMNS: Column<Happening>[] = [
  { header: "When", width: "minmax(100px, 1fr)", cell: ({ row }) => <When at={row.original.at} absolute /> },
  { header: "What", width: "minmax(110px, 1fr)", cell: ({ row }) => WORDS[row.original.what] },
  { header: "State", width: "110px", cell: ({ row }) => <StateBadge state={row.original.state} /> },
];

export function MachineHistory({ id }: { id: string }) {
  const list = useList("machine", "/machines/{id}/history", { path: { id } });
  const empty = { icon: IconHistory, title: "Nothing has happened to it" };
  return (
    <Section title="History" flush>
      <DataTable
        label="History"
        list={list}
        columns={COLUMNS}
        empty={empty}
        rowKey={(happening) => String(happening.id)}
      />
    </Section>
  );
}
