// What one's programs sign in with.
import { Alert, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useList } from "../../api/lists";
import type { ApiKey } from "../../api/schema";
import { ConfirmButton } from "../../components/ConfirmButton";
import { CopyLine } from "../../components/CopyLine";
import { type Column, DataTable } from "../../components/DataTable";
import { Section } from "../../components/Section";
import { When } from "../../components/When";

export function ApiKeys() {
  const list = useList("api_key", "/api-keys");
  const [name, setName] = useState("");
  const make = useAction(() => post("/api-keys", {}, { name }), {
    changes: ["api_key"],
    after: () => setName(""),
  });
  const forget = useAction((key: ApiKey) => remove("/api-keys/{id}", { path: { id: key.id } }), {
    changes: ["api_key"],
    done: "It was deleted. Whoever used it is signed out.",
  });
  const columns: Column<ApiKey>[] = [
    { header: "Name", width: "1fr", accessorKey: "name" },
    { header: "Made", width: "120px", cell: ({ row }) => <When at={row.original.created_at} /> },
    {
      header: "Delete",
      width: "90px",
      right: true,
      cell: ({ row: { original } }) => (
        <ConfirmButton
          size="xs"
          variant="subtle"
          title={`Delete ${original.name}?`}
          plan="Programs that use it are signed out at once."
          confirm="Delete it"
          onConfirm={() => forget.mutate(original)}
        >
          Delete
        </ConfirmButton>
      ),
    },
  ];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  const form = (
    <form onSubmit={submit}>
      <Group gap="xs">
        <TextInput
          size="xs"
          aria-label="What the new key is for"
          placeholder="What it is for"
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button size="xs" type="submit" loading={make.isPending}>
          Make a key
        </Button>
      </Group>
    </form>
  );
  return (
    <Section title="API keys" actions={form} flush>
      <DataTable
        label="API keys"
        list={list}
        columns={columns}
        empty={{
          icon: IconKey,
          title: "No API keys",
          hint: "Programs and the command line sign in with one.",
        }}
        rowKey={(one) => String(one.id)}
      />
      <Modal opened={make.data !== undefined} onClose={() => make.reset()} title="The new key" size="lg">
        {make.data && (
          <Stack>
            <Alert color="yellow">It is shown this once. Keep it where only you can read it.</Alert>
            <CopyLine label="the key" text={make.data.secret} />
          </Stack>
        )}
      </Modal>
    </Section>
  );
}
