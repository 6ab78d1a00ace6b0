// Webhooks: where it is told, signed, that runs ended and alarms opened.
import { Alert, Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconWebhook } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useList } from "../../api/lists";
import type { NotificationChannel, Topic } from "../../api/schema";
import { ConfirmButton } from "../../components/ConfirmButton";
import { CopyLine } from "../../components/CopyLine";
import { type Column, DataTable } from "../../components/DataTable";
import { Section } from "../../components/Section";
import { When } from "../../components/When";
import { count } from "../../format/bytes";
import { TestButton } from "./TestButton";

const TOPICS: { value: Topic; label: string }[] = [
  { value: "failure", label: "Backups and restores that fail or have errors" },
  { value: "success", label: "Those that end well" },
  { value: "alarm", label: "Alarms, when they open and close" },
];

export function Channels() {
  const list = useList("notification_channel", "/notification-channels");
  const forget = useAction(
    (channel: NotificationChannel) => remove("/notification-channels/{id}", { path: { id: channel.id } }),
    { changes: ["notification_channel"], done: "It was deleted, with what waited for it." },
  );
  const columns: Column<NotificationChannel>[] = [
    { header: "Name", width: "minmax(90px, 1fr)", accessorKey: "name" },
    {
      header: "To",
      width: "minmax(120px, 1.4fr)",
      wide: true,
      cell: ({ row }) => <span className="mono">{row.original.origin}</span>,
    },
    { header: "Told of", width: "minmax(90px, 1fr)", cell: ({ row }) => row.original.topics.join(", ") },
    { header: "Last", width: "minmax(90px, 1fr)", cell: ({ row }) => <Standing channel={row.original} /> },
    {
      header: "Waiting",
      width: "70px",
      right: true,
      wide: true,
      cell: ({ row }) => count(row.original.waiting),
    },
    {
      header: "Test",
      width: "64px",
      cell: ({ row: { original } }) => (
        <TestButton
          label={`Test ${original.name}`}
          changes="notification_channel"
          test={() => post("/notification-channels/{id}/test", { path: { id: original.id } })}
        />
      ),
    },
    {
      header: "Delete",
      width: "80px",
      right: true,
      cell: ({ row: { original } }) => (
        <ConfirmButton
          size="xs"
          variant="subtle"
          title={`Delete ${original.name}?`}
          plan="It is told of nothing any more, also not of what waits for it now."
          confirm="Delete it"
          onConfirm={() => forget.mutate(original)}
        >
          Delete
        </ConfirmButton>
      ),
    },
  ];
  return (
    <Section title="Webhooks" actions={<AddChannel />} flush>
      <DataTable
        label="Webhooks"
        list={list}
        columns={columns}
        empty={{
          icon: IconWebhook,
          title: "No webhooks",
          hint: "A webhook gets a signed message when a run ends or an alarm opens.",
        }}
        rowKey={(one) => String(one.id)}
      />
    </Section>
  );
}

function Standing({ channel }: { channel: NotificationChannel }) {
  if (channel.error) {
    return (
      <span className="bad" title={channel.error}>
        {channel.error}
      </span>
    );
  }
  return channel.delivered_at ? <When at={channel.delivered_at} /> : "Nothing yet";
}

function AddChannel() {
  const [opened, { open, close }] = useDisclosure(false);
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [topics, setTopics] = useState<string[]>(["failure", "alarm"]);
  const add = useAction(
    () => post("/notification-channels", {}, { name, url, topics: topics as Topic[] }),
    { changes: ["notification_channel"], quiet: true },
  );
  const leave = () => {
    close();
    add.reset();
    setName("");
    setUrl("");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <>
      <Button size="xs" onClick={open}>
        Add a webhook
      </Button>
      <Modal opened={opened} onClose={leave} title={add.data ? "The secret" : "Add a webhook"} size="lg">
        {add.data ? (
          <Stack>
            <Alert color="yellow">It is shown this once. Whoever takes the messages checks them with it.</Alert>
            <CopyLine label="the secret" text={add.data.secret} />
          </Stack>
        ) : (
          <form onSubmit={submit}>
            <Stack>
              <TextInput
                label="Name"
                required
                maxLength={200}
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <TextInput
                label="URL"
                description="http or https. It may hold a secret: it is not shown again."
                type="url"
                required
                maxLength={2000}
                value={url}
                onChange={(event) => setUrl(event.currentTarget.value)}
              />
              <Checkbox.Group label="Told of" value={topics} onChange={setTopics}>
                <Stack gap="xs" mt="xs">
                  {TOPICS.map((topic) => (
                    <Checkbox key={topic.value} value={topic.value} label={topic.label} />
                  ))}
                </Stack>
              </Checkbox.Group>
              {add.error && (
                <Alert color="red" role="alert">
                  {add.error.message}
                </Alert>
              )}
              <Group justify="space-between">
                <Text size="xs" c="dimmed">
                  What a message holds is in the guide on notifications.
                </Text>
                <Button type="submit" disabled={topics.length === 0} loading={add.isPending}>
                  Add it
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Modal>
    </>
  );
}
