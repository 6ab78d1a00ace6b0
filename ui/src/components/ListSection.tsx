// A list under its own name, with what adds to it beside that; and the column that deletes from it.
import type { ReactNode } from "react";
import { ConfirmButton } from "./ConfirmButton";
import { type Column, DataTable, type DataTableProps } from "./DataTable";
import { Section } from "./Section";

interface Props<T> extends DataTableProps<T> {
  actions?: ReactNode;
}

export function ListSection<T>({ actions, ...table }: Props<T>) {
  return (
    <Section title={table.label} actions={actions} flush>
      <DataTable {...table} />
    </Section>
  );
}

interface Deletion<T> {
  name: (item: T) => string;
  plan: string;
  confirm?: string;
  /** Whether this one can be deleted. */
  can?: (item: T) => boolean;
  onDelete: (item: T) => void;
}

export function deleteColumn<T>({ name, plan, confirm = "Delete it", can, onDelete }: Deletion<T>): Column<T> {
  return {
    id: "delete",
    header: () => <span className="unseen">Delete</span>,
    width: "76px",
    right: true,
    cell: ({ row: { original } }) =>
      (!can || can(original)) && (
        <ConfirmButton
          size="compact-sm"
          variant="subtle"
          title={`Delete ${name(original)}?`}
          plan={plan}
          confirm={confirm}
          onConfirm={() => onDelete(original)}
        >
          Delete
        </ConfirmButton>
      ),
  };
}
