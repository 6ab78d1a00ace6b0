// Changes a backend's name or credentials; new credentials are tried first.
import { Alert, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { patch } from "../../api/call";
import { useOne } from "../../api/lists";
import type { Backend } from "../../api/schema";
import { Dialog } from "../../components/Dialog";
import { FieldForm, type Values } from "../../components/FieldForm";
import { Form } from "../../components/Form";
import { given } from "./given";

export function EditBackend({ backend }: { backend: Backend }) {
  return (
    <Dialog label="Edit" variant="default" title={`Edit ${backend.title}`} wide>
      {(close) => <EditForm backend={backend} onDone={close} />}
    </Dialog>
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
  return (
    <Form send="Save" action={change} onLeave={onDone} failed="It was not changed">
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
    </Form>
  );
}
