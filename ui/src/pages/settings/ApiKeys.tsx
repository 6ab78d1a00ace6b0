// What one's programs sign in with.
import { TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useList } from "../../api/lists";
import type { ApiKey } from "../../api/schema";
import type { Column } from "../../components/DataTable";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";
import { deleteColumn, ListSection } from "../../components/ListSection";
import { When } from "../../components/When";
import { Once } from "./Once";

export function ApiKeys() {
  const list = useList("api_key", "/api-keys");
  const forget = useAction((key: ApiKey) => remove("/api-keys/{id}", { path: { id: key.id } }), {
    changes: ["api_key"],
    done: "It was deleted. Whoever used it is signed out.",
  });
  const columns: Column<ApiKey>[] = [
    { header: "Name", width: "1fr", accessorKey: "name" },
    { header: "Made", width: "110px", cell: ({ row }) => <When at={row.original.created_at} /> },
    deleteColumn({
      name: (key) => key.name,
      plan: "Programs that use it are signed out at once.",
      onDelete: forget.mutate,
    }),
  ];
  return (
    <ListSection
      label="API keys"
      list={list}
      columns={columns}
      empty={{ icon: IconKey, title: "No API keys", hint: "Programs and the command line sign in with one." }}
      rowKey={(one) => String(one.id)}
      actions={
        <Dialog label="Make a key" size="xs" title="Make an API key">
          {(close) => <NewKey onLeave={close} />}
        </Dialog>
      }
    />
  );
}

function NewKey({ onLeave }: { onLeave: () => void }) {
  const [name, setName] = useState("");
  const make = useAction(() => post("/api-keys", {}, { name }), { changes: ["api_key"], quiet: true });
  if (make.data) return <Once secret={make.data.secret} label="the key" hint="Keep it where only you can read it." />;
  return (
    <Form send="Make the key" action={make} onLeave={onLeave}>
      <TextInput
        label="What it is for"
        description="It may do what you may do."
        required
        maxLength={200}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </Form>
  );
}
