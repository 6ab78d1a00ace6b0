// The columns of the table of machines.
import { Badge, Group } from "@mantine/core";
import type { Machine } from "../../api/schema";
import type { Column } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { Protection } from "./Protection";

export function machineColumns(backendTitle: (id: string) => string): Column<Machine>[] {
  return [
    {
      header: "Name",
      width: "minmax(90px, 2fr)",
      cell: ({ row: { original } }) => <GoTo to={`/machines/${original.id}`}>{original.name}</GoTo>,
    },
    { header: "State", width: "92px", cell: ({ row }) => <StateBadge state={row.original.state} /> },
    {
      header: "Backend",
      width: "minmax(100px, 1.2fr)",
      wide: true,
      cell: ({ row }) => backendTitle(row.original.backend_id),
    },
    {
      header: "Address",
      width: "minmax(110px, 1fr)",
      wide: true,
      cell: ({ row }) => <span className="mono">{address(row.original)}</span>,
    },
    { header: "Protection", width: "104px", cell: ({ row }) => <Protection machine={row.original} /> },
    {
      header: "Location",
      width: "minmax(80px, 0.8fr)",
      wide: true,
      cell: ({ row }) => row.original.location ?? "–",
    },
    { header: "Size", width: "minmax(90px, 0.9fr)", wide: true, cell: ({ row }) => row.original.size ?? "–" },
    {
      header: "Tags",
      width: "minmax(90px, 1.2fr)",
      wide: true,
      cell: ({ row }) => <Tags tags={row.original.tags} />,
    },
    {
      header: "Seen",
      width: "100px",
      wide: true,
      cell: ({ row }) => <When at={row.original.refreshed_at} />,
    },
  ];
}

function address(machine: Machine): string {
  return machine.public_ips[0] ?? machine.private_ips[0] ?? "–";
}

export function Tags({ tags }: { tags: string[] }) {
  return (
    <Group gap={4} wrap="nowrap">
      {tags.map((tag) => (
        <Badge key={tag} variant="default" size="sm" radius="sm" tt="none" fw={500}>
          {tag}
        </Badge>
      ))}
    </Group>
  );
}
