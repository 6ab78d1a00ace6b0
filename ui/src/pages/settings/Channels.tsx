// Webhooks: where it is told, signed, that runs ended and alarms opened.
import { Checkbox, Stack, TextInput } from "@mantine/core";
import { IconWebhook } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useList } from "../../api/lists";
import type { NotificationChannel, Topic } from "../../api/schema";
import type { Column } from "../../components/DataTable";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";
import { deleteColumn, ListSection } from "../../components/ListSection";
import { When } from "../../components/When";
import { count } from "../../format/bytes";
import { Once } from "./Once";
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
    deleteColumn({
      name: (channel) => channel.name,
      plan: "It is told of nothing any more, also not of what waits for it now.",
      onDelete: forget.mutate,
    }),
  ];
  return (
    <ListSection
      label="Webhooks"
      list={list}
      columns={columns}
      empty={{
        icon: IconWebhook,
        title: "No webhooks",
        hint: "A webhook gets a signed message when a run ends or an alarm opens.",
      }}
      rowKey={(one) => String(one.id)}
      actions={
        <Dialog label="Add a webhook" size="xs" title="Add a webhook" wide>
          {(close) => <NewChannel onLeave={close} />}
        </Dialog>
      }
    />
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

function NewChannel({ onLeave }: { onLeave: () => void }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [topics, setTopics] = useState<string[]>(["failure", "alarm"]);
  const add = useAction(
    () => post("/notification-channels", {}, { name, url, topics: topics as Topic[] }),
    { changes: ["notification_channel"], quiet: true },
  );
  if (add.data)
    return <Once secret={add.data.secret} label="the secret" hint="Whoever takes the messages checks them with it." />;
  return (
    <Form
      send="Add it"
      action={add}
      onLeave={onLeave}
      disabled={topics.length === 0}
      note="What a message holds is in the guide on notifications."
    >
      <TextInput
        label="Name"
        required
        maxLength={200}
        data-autofocus
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
    </Form>
  );
}
