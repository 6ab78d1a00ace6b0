// Lists and single things as hooks. The first word of a key is the noun, so that events find what they change.
import { keepPreviousData, type UseQueryResult, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { get, type Path, type QueryOf, type Reply, type Where } from "./call";

/** How much is read at once. */
const PAGE = 500;
/** Of lists that are read to their end, no more pages than this: they only serve to name things. */
const MOST_PAGES = 40;

type ListPath = { [P in Path<"get">]: Reply<"get", P> extends { items: unknown[] } ? P : never }[Path<"get">];
/** What a list is of. */
export type ItemOf<P> = Reply<"get", P> extends { items: (infer T)[] } ? T : never;

/** What tables show. */
export interface List<T> {
  items: T[];
  error: Error | null;
  isLoading: boolean;
  isFetching: boolean;
  hasMore: boolean;
  loadMore: () => void;
  retry: () => void;
}

/** A list, read page by page as the table asks for more. */
export function useList<P extends ListPath>(
  noun: string,
  path: P,
  where: Where<QueryOf<P>> = {},
): List<ItemOf<P>> {
  const found = useInfiniteQuery({
    queryKey: [noun, "list", path, where.path, where.query],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, ...where.query, cursor: pageParam } as unknown as QueryOf<P>;
      return get(path, { ...where, query, signal }) as Promise<{ items: ItemOf<P>[]; next?: string | null }>;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const items = useMemo(() => found.data?.pages.flatMap((page) => page.items) ?? [], [found.data]);
  return {
    items,
    error: found.data ? null : found.error,
    isLoading: found.isPending,
    isFetching: found.isFetching,
    hasMore: found.hasNextPage,
    loadMore: () => {
      if (!found.isFetching) void found.fetchNextPage();
    },
    retry: () => void found.refetch(),
  };
}

/** A whole list, of which there are not many, or that names things. */
export function useAll<P extends ListPath>(noun: string, path: P, query?: QueryOf<P>, enabled = true) {
  return useQuery({
    queryKey: [noun, "all", path, query],
    enabled,
    queryFn: async ({ signal }) => {
      const items: ItemOf<P>[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const asked = { limit: 1000, ...query, cursor } as unknown as QueryOf<P>;
        const reply = (await get(path, { query: asked, signal })) as {
          items: ItemOf<P>[];
          next?: string | null;
        };
        items.push(...reply.items);
        cursor = reply.next ?? undefined;
        if (!cursor) break;
      }
      return items;
    },
  });
}

/** One thing. */
export function useOne<P extends Path<"get">>(
  noun: string,
  path: P,
  where: Where<QueryOf<P>> = {},
  enabled = true,
): UseQueryResult<Reply<"get", P>> {
  return useQuery({
    queryKey: [noun, "one", path, where.path, where.query],
    queryFn: ({ signal }) => get(path, { ...where, signal }),
    enabled,
  }) as UseQueryResult<Reply<"get", P>>;
}
