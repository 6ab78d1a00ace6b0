// Adds a backend: the provider is chosen, and says itself what it needs.
import { Alert, Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll } from "../../api/lists";
import { Failure } from "../../components/Failure";
import { FieldForm, type Values } from "../../components/FieldForm";
import { PageHeader } from "../../components/PageHeader";
import { given } from "./given";

export default function AddBackend() {
  const navigate = useNavigate();
  const providers = useAll("provider", "/providers");
  const [provider, setProvider] = useState<string | null>(null);
  const [title, setTitle] = useState("");
  const [region, setRegion] = useState<string | null>(null);
  const [values, setValues] = useState<Values>({});
  const chosen = providers.data?.find((one) => one.id === provider);
  const add = useAction(
    () => post("/backends", {}, { provider: provider ?? "", title, region, fields: given(values) }),
    {
      changes: ["backend", "machine"],
      quiet: true,
      done: (backend) => `${backend.title} was added.`,
      after: (backend) => void navigate({ to: `/backends/${backend.id}` }),
    },
  );
  if (providers.error) return <Failure error={providers.error} retry={() => void providers.refetch()} />;
  const choose = (id: string | null) => {
    setProvider(id);
    setRegion(null);
    setValues({});
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  // Providers without fields are in the catalogue, but this version cannot add them.
  const addable = providers.data?.filter((one) => one.fields.length > 0) ?? [];
  return (
    <>
      <PageHeader
        title="Add a backend"
        about="It is asked for its machines first. Nothing is kept when it does not answer."
      />
      <form onSubmit={submit} className="panel" style={{ maxWidth: 620, padding: 20 }}>
        <Stack>
          <Select
            label="Provider"
            placeholder="Choose one"
            searchable
            required
            value={provider}
            onChange={choose}
            data={addable.map((one) => ({
              value: one.id,
              label: one.retired ? `${one.title} (retired)` : one.title,
            }))}
          />
          {chosen && (
            <>
              <TextInput
                label="Name"
                description="What you call it."
                required
                maxLength={200}
                value={title}
                onChange={(event) => setTitle(event.currentTarget.value)}
              />
              {chosen.regions.length > 0 && (
                <Select
                  label="Region"
                  required
                  searchable
                  value={region}
                  onChange={setRegion}
                  data={chosen.regions.map((one) => ({
                    value: one.id,
                    label: `${one.location} (${one.id})`,
                  }))}
                />
              )}
              <FieldForm fields={chosen.fields} values={values} onChange={setValues} />
            </>
          )}
          {add.error && (
            <Alert color="red" role="alert" title="It was not added">
              {add.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => void navigate({ to: "/backends" })}>
              Leave it
            </Button>
            <Button type="submit" disabled={!chosen} loading={add.isPending}>
              {add.isPending ? "Connecting" : "Connect and add"}
            </Button>
          </Group>
        </Stack>
      </form>
    </>
  );
}
