// What machines can be made from on a backend, as it tells it now.
import { Loader, Stack } from "@mantine/core";
import { IconBox } from "@tabler/icons-react";
import { useState } from "react";
import { useOne } from "../../api/lists";
import type { Image, Location, Network, Size } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { Failure } from "../../components/Failure";
import { SearchBox } from "../../components/SearchBox";
import { bytes } from "../../format/bytes";

export type OfferKind = "images" | "sizes" | "locations" | "networks";
type Offer = Partial<Image> &
  Partial<Size> &
  Partial<Location> &
  Partial<Network> & { id: string; name: string };

const NOUNS = { images: "image", sizes: "size", locations: "location", networks: "network" };
const MORE: Record<OfferKind, Column<Offer>[]> = {
  images: [],
  locations: [{ header: "Country", width: "120px", cell: ({ row }) => row.original.country ?? "–" }],
  networks: [
    {
      header: "Ranges",
      width: "1fr",
      cell: ({ row }) => row.original.subnets?.map((subnet) => subnet.cidr).join(", ") || "–",
    },
  ],
  sizes: [
    { header: "Processors", width: "90px", right: true, cell: ({ row }) => row.original.cpus ?? "–" },
    { header: "Memory", width: "100px", right: true, cell: ({ row }) => sized(row.original.memory_bytes) },
    {
      header: "Disk",
      width: "100px",
      right: true,
      wide: true,
      cell: ({ row }) => sized(row.original.disk_bytes),
    },
    {
      header: "Price an hour",
      width: "120px",
      right: true,
      wide: true,
      cell: ({ row: { original } }) =>
        original.price ? `${original.price.per_hour} ${original.price.currency}` : "–",
    },
  ],
};

export function Offers({ backend, kind }: { backend: string; kind: OfferKind }) {
  const [search, setSearch] = useState("");
  const path = `/backends/{id}/${kind}` as "/backends/{id}/images";
  const found = useOne("offer", path, { path: { id: backend } });
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loader aria-label={`Reading ${kind}`} />;
  const wanted = search.toLowerCase();
  const all = found.data.items as Offer[];
  const items = all.filter((one) => `${one.name} ${one.id}`.toLowerCase().includes(wanted));
  const columns: Column<Offer>[] = [
    { header: "Name", width: "minmax(140px, 2fr)", accessorKey: "name" },
    {
      header: "Id",
      width: "minmax(120px, 1.5fr)",
      cell: ({ row }) => <span className="mono">{row.original.id}</span>,
    },
    ...MORE[kind],
  ];
  const list = {
    items,
    error: null,
    isLoading: false,
    isFetching: false,
    hasMore: false,
    loadMore: () => {},
    retry: () => {},
  };
  const empty = {
    icon: IconBox,
    title: `No ${NOUNS[kind]} to show`,
    hint: "The backend tells of none, or none matches.",
  };
  return (
    <Stack gap="sm">
      <SearchBox label={`Search ${kind}`} value={search} onChange={setSearch} />
      <DataTable label={kind} list={list} columns={columns} empty={empty} rowKey={(one) => one.id} />
    </Stack>
  );
}

function sized(size?: number | null): string {
  return size ? bytes(size) : "–";
}
