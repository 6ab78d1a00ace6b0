// The files that a run could not read or write: many thousands at need.
import { Text, TextInput } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { RunError } from "../api/schema";
import { count, plural } from "../format/bytes";
import { type Column, DataTable } from "./DataTable";
import { Section } from "./Section";

const COLUMNS: Column<RunError>[] = [
  {
    header: "File",
    width: "minmax(160px, 2fr)",
    cell: ({ row }) => (
      <span className="mono" title={row.original.path}>
        {row.original.path}
      </span>
    ),
  },
  {
    header: "Why",
    width: "minmax(110px, 1fr)",
    cell: ({ row }) => <span title={row.original.details}>{row.original.reason}</span>,
  },
  { header: "Code", width: "60px", right: true, wide: true, cell: ({ row }) => row.original.code || "" },
];

export function RunErrors({ errors, count: all }: { errors: RunError[]; count: number }) {
  const [search, setSearch] = useState("");
  const items = useMemo(() => {
    const wanted = search.toLowerCase();
    return errors.filter((error) => `${error.path} ${error.reason}`.toLowerCase().includes(wanted));
  }, [errors, search]);
  const list = {
    items,
    error: null,
    isLoading: false,
    isFetching: false,
    hasMore: false,
    loadMore: () => {},
    retry: () => {},
  };
  const filter = (
    <TextInput
      size="xs"
      aria-label="Search the errors"
      placeholder="Search"
      value={search}
      onChange={(event) => setSearch(event.currentTarget.value)}
    />
  );
  return (
    <Section title={plural(all, "error")} actions={filter} flush>
      {all > errors.length && (
        <Text size="sm" c="dimmed" px="md" pb="xs">
          The first {count(errors.length)} of them are kept.
        </Text>
      )}
      <DataTable
        label="Errors"
        list={list}
        columns={COLUMNS}
        empty={{ icon: IconCircleCheck, title: "No error matches" }}
        rowKey={(error) => `${error.path} ${error.type}`}
      />
    </Section>
  );
}
