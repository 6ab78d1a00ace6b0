// The browsers in which one is signed in.
import { Badge, Button } from "@mantine/core";
import { IconDevices } from "@tabler/icons-react";
import { useAction } from "../../api/action";
import { remove } from "../../api/call";
import { useList } from "../../api/lists";
import type { Session } from "../../api/schema";
import type { Column } from "../../components/DataTable";
import { ListSection } from "../../components/ListSection";
import { When } from "../../components/When";

export function Sessions() {
  const list = useList("session", "/sessions");
  const end = useAction((session: Session) => remove("/sessions/{id}", { path: { id: session.id } }), {
    changes: ["session"],
    done: "That session has ended.",
  });
  const columns: Column<Session>[] = [
    {
      header: "Browser",
      width: "minmax(120px, 2fr)",
      cell: ({ row }) => <span title={row.original.user_agent}>{row.original.user_agent}</span>,
    },
    {
      header: "From",
      width: "minmax(90px, 0.8fr)",
      wide: true,
      cell: ({ row }) => <span className="mono">{row.original.source}</span>,
    },
    { header: "Last used", width: "110px", cell: ({ row }) => <When at={row.original.last_used_at} /> },
    { header: "Ends", width: "110px", wide: true, cell: ({ row }) => <When at={row.original.expires_at} /> },
    {
      header: "End",
      width: "90px",
      right: true,
      cell: ({ row: { original } }) =>
        original.current ? (
          <Badge variant="light" tt="none">
            This one
          </Badge>
        ) : (
          <Button size="xs" variant="subtle" onClick={() => end.mutate(original)}>
            End it
          </Button>
        ),
    },
  ];
  return (
    <ListSection
      label="Sessions"
      list={list}
      columns={columns}
      empty={{ icon: IconDevices, title: "No sessions" }}
      rowKey={(one) => String(one.id)}
    />
  );
}
