// The files that a run could not read or write: many thousands at need, of which the report has the first and the
// server is asked for the others as they are scrolled or searched for.
import { Text, TextInput } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useEffect, useMemo, useState } from "react";
import { type List, useList } from "../api/lists";
import type { RunError } from "../api/schema";
import { count, plural } from "../format/bytes";
import { type Column, DataTable } from "./DataTable";
import { FilePath } from "./FilePath";
import { Section } from "./Section";

/** How many are read at once: as many as the server hands out. */
const PAGE = 1000;

const COLUMNS: Column<RunError>[] = [
  {
    header: "File",
    width: "minmax(160px, 2fr)",
    cell: ({ row }) => <FilePath path={row.original.path} />,
  },
  {
    header: "Why",
    width: "minmax(110px, 1fr)",
    cell: ({ row }) => <span title={row.original.details}>{row.original.reason}</span>,
  },
  { header: "Code", width: "60px", right: true, wide: true, cell: ({ row }) => row.original.code || "" },
];

interface Props {
  of: "backup" | "restore";
  id: string;
  /** Those that the report has. */
  first: RunError[];
  /** How many there were. */
  count: number;
}

export function RunErrors(props: Props) {
  return props.first.length < props.count ? <Paged {...props} /> : <Errors list={whole(props.first)} {...props} />;
}

/** The first of the report, until the server's own pages are there. */
function Paged(props: Props) {
  const path = props.of === "backup" ? "/backups/{id}/errors" : "/restores/{id}/errors";
  const list = useList(props.of, path, { path: { id: props.id }, query: { limit: PAGE } });
  const shown = list.isLoading ? { ...list, items: props.first, isLoading: false, hasMore: true } : list;
  return <Errors list={shown} {...props} />;
}

function Errors({ list, count: all }: Props & { list: List<RunError> }) {
  const [search, setSearch] = useState("");
  const items = useMemo(() => {
    const wanted = search.toLowerCase();
    return list.items.filter((error) => `${error.path} ${error.reason}`.toLowerCase().includes(wanted));
  }, [list.items, search]);
  const { hasMore, isFetching, loadMore } = list;
  // What is looked for may stand on any page, so that all of them are read.
  const isSearching = search !== "" && hasMore;
  useEffect(() => {
    if (isSearching && !isFetching) loadMore();
  });
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
      {!hasMore && !list.error && all > list.items.length && (
        <Text size="sm" c="dimmed" px="md" pb="xs">
          The first {count(list.items.length)} of them are kept.
        </Text>
      )}
      {isSearching && (
        <Text size="sm" c="dimmed" px="md" pb="xs" aria-live="polite">
          {count(list.items.length)} of {count(all)} are searched so far.
        </Text>
      )}
      <DataTable
        label="Errors"
        list={{ ...list, items }}
        columns={COLUMNS}
        empty={{ icon: IconCircleCheck, title: isSearching ? "No error matches so far" : "No error matches" }}
        rowKey={(error) => `${error.path} ${error.type}`}
      />
    </Section>
  );
}

/** Errors that are all there as a list. */
function whole(items: RunError[]): List<RunError> {
  const nothing = () => {};
  return { items, error: null, isLoading: false, isFetching: false, hasMore: false, loadMore: nothing, retry: nothing };
}
