// The one table: rows of any number, of which only those in sight are drawn; more are read as they come near.
import { Loader, Skeleton, useMantineTheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { type Cell, type ColumnDef, flexRender, getCoreRowModel, type Row, useReactTable } from "@tanstack/react-table";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { List } from "../api/lists";
import { type Emptiness, EmptyState } from "./EmptyState";
import { Failure } from "./Failure";

/** A column. `width` is a grid track; `wide` columns go away on a phone. */
export type Column<T> = ColumnDef<T> & { width: string; wide?: boolean; right?: boolean };

export interface DataTableProps<T> {
  label: string;
  list: List<T>;
  columns: Column<T>[];
  empty: Emptiness;
  rowKey: (item: T) => string;
  /** Where a click on a row leads. */
  href?: (item: T) => string;
  rowHeight?: number;
}

const HEIGHT = 42;
/** How many rows before the end the next page is asked for. */
const AHEAD = 60;

export function DataTable<T>({ label, list, columns, empty, rowKey, href, rowHeight = HEIGHT }: DataTableProps<T>) {
  const theme = useMantineTheme();
  const narrow = useMediaQuery(`(max-width: ${theme.breakpoints.sm})`, false, {
    getInitialValueInEffect: false,
  });
  const shown = narrow ? columns.filter((column) => !column.wide) : columns;
  const table = useReactTable({
    data: list.items,
    columns: shown,
    getCoreRowModel: getCoreRowModel(),
    getRowId: rowKey,
  });
  if (list.error) return <Failure error={list.error} retry={list.retry} />;
  if (list.isLoading) return <Loading label={label} />;
  if (list.items.length === 0) return <EmptyState {...empty} />;
  const template = { gridTemplateColumns: shown.map((column) => column.width).join(" ") };
  return (
    <div role="table" aria-label={label} aria-rowcount={list.hasMore ? -1 : list.items.length + 1}>
      <div role="rowgroup">
        {table.getHeaderGroups().map((group) => (
          <div role="row" tabIndex={-1} className="table-head" style={template} key={group.id}>
            {group.headers.map((header) => (
              <div
                role="columnheader"
                tabIndex={-1}
                className="cell"
                data-right={rightOf(header.column.columnDef)}
                key={header.id}
              >
                {flexRender(header.column.columnDef.header, header.getContext())}
              </div>
            ))}
          </div>
        ))}
      </div>
      <Body rows={table.getRowModel().rows} list={list} template={template} href={href} height={rowHeight} />
    </div>
  );
}

interface BodyProps<T> {
  rows: Row<T>[];
  list: List<T>;
  template: { gridTemplateColumns: string };
  href?: (item: T) => string;
  height: number;
}

function Body<T>({ rows, list, template, href, height }: BodyProps<T>) {
  const element = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const box = element.current?.getBoundingClientRect();
    if (box) setTop(box.top + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: 12,
    scrollMargin: top,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const { hasMore, isFetching, loadMore } = list;
  useEffect(() => {
    if (hasMore && !isFetching && last >= rows.length - AHEAD) loadMore();
  });
  const follow = (item: T) => (event: MouseEvent) => {
    const inside =
      event.target instanceof Element && event.target.closest("a, button, input, label, [role=menu]");
    if (href && !inside && !window.getSelection()?.toString()) void navigate({ to: href(item) });
  };
  return (
    <div role="rowgroup" ref={element} style={{ height: virtual.getTotalSize(), position: "relative" }}>
      {items.map(({ index, start }) => {
        const row = rows[index];
        if (!row) return null;
        const place = {
          ...template,
          height,
          position: "absolute" as const,
          transform: `translateY(${start - top}px)`,
        };
        return (
          // The keyboard needs no handler here: the name in the row is a link.
          <div
            role="row"
            tabIndex={-1}
            aria-rowindex={index + 2}
            className="table-row"
            data-link={href ? true : undefined}
            style={place}
            key={row.id}
            onClick={follow(row.original)}
          >
            {row.getVisibleCells().map((cell) => (
              <div role="cell" className="cell" data-right={rightOf(cell.column.columnDef)} key={cell.id}>
                {drawn(cell)}
              </div>
            ))}
          </div>
        );
      })}
      {isFetching && hasMore && (
        <Loader size="xs" style={{ position: "absolute", bottom: 8, right: 12 }} aria-label="Reading more" />
      )}
    </div>
  );
}

/** A cell's content. Were its function taken for a component, a window opened from the cell would close whenever the
 * table is drawn anew, since the function is then another. */
function drawn<T>(cell: Cell<T, unknown>): ReactNode {
  const { cell: content } = cell.column.columnDef;
  return typeof content === "function" ? content(cell.getContext()) : content;
}

function rightOf(definition: object): true | undefined {
  return "right" in definition && definition.right ? true : undefined;
}

function Loading({ label }: { label: string }) {
  return (
    <div role="status" aria-label={`Reading ${label.toLowerCase()}`} style={{ padding: 14 }}>
      {[0, 1, 2, 3, 4, 5].map((line) => (
        <Skeleton height={20} my={14} key={line} />
      ))}
    </div>
  );
}
