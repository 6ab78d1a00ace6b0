// Changes a backend's name or credentials; new credentials are tried first.
import { Alert, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { patch } from "../../api/call";
import { useOne } from "../../api/lists";
import type { Backend } from "../../api/schema";
import { FieldForm, type Values } from "../../components/FieldForm";
import { given } from "./given";

export function EditBackend({ backend }: { backend: Backend }) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" onClick={open}>
        Edit
      </Button>
      <Modal opened={opened} onClose={close} title={`Edit ${backend.title}`} size="lg">
        <EditForm backend={backend} onDone={close} />
      </Modal>
    </>
  );
}

function EditForm({ backend, onDone }: { backend: Backend; onDone: () => void }) {
  const [title, setTitle] = useState(backend.title);
  const [values, setValues] = useState<Values>({});
  const provider = useOne("provider", "/providers/{id}", { path: { id: backend.provider } });
  const fields = given(values);
  const change = useAction(
    () =>
      patch(
        "/backends/{id}",
        { path: { id: backend.id } },
        { title, ...(Object.keys(fields).length > 0 ? { fields } : {}) },
      ),
    { changes: ["backend", "machine"], quiet: true, done: "It was changed.", after: onDone },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Name"
          required
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Alert color="gray" variant="light">
          What you leave empty below stays as it is. New values are tried before they are kept.
        </Alert>
        <FieldForm fields={provider.data?.fields ?? []} values={values} changing onChange={setValues} />
        {change.error && (
          <Alert color="red" role="alert" title="It was not changed">
            {change.error.message}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Leave it
          </Button>
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
