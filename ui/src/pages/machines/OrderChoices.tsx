// What machines are made from: backend, image, size, place, networks and the key that may log in.
import { Group, MultiSelect, NumberInput, Select, Textarea, TextInput } from "@mantine/core";
import { useOne } from "../../api/lists";
import type { Backend, Key, NewMachine } from "../../api/schema";

export type Draft = Partial<NewMachine>;

interface ChoicesProps {
  draft: Draft;
  change: (part: Draft) => void;
  backends: Backend[];
  keys: Key[];
  /** Whether it is one machine in any case. */
  single?: boolean;
}

export function OrderChoices({ draft, change, backends, keys, single = false }: ChoicesProps) {
  const id = draft.backend_id ?? "";
  const where = { path: { id } };
  const images = useOne("offer", "/backends/{id}/images", where, id !== "");
  const sizes = useOne("offer", "/backends/{id}/sizes", where, id !== "");
  const locations = useOne("offer", "/backends/{id}/locations", where, id !== "");
  const networks = useOne("offer", "/backends/{id}/networks", where, id !== "");
  const offers = (found: { data?: { items: { id: string; name: string }[] } }) =>
    found.data?.items.map((one) => ({ value: one.id, label: one.name })) ?? [];
  const chooseBackend = (backend: string | null) =>
    change({
      backend_id: backend ?? undefined,
      image: undefined,
      size: undefined,
      location: undefined,
      networks: [],
    });
  return (
    <>
      <Select
        label="Backend"
        required
        searchable
        value={id || null}
        onChange={chooseBackend}
        data={backends.filter((one) => one.enabled).map((one) => ({ value: one.id, label: one.title }))}
      />
      <Group grow align="flex-start">
        <TextInput
          label="Name"
          required
          value={draft.name ?? ""}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        {!single && (
          <NumberInput
            label="How many"
            description="NAME-1, NAME-2 and so on, where more than one."
            min={1}
            max={100}
            value={draft.quantity ?? 1}
            onChange={(quantity) => change({ quantity: Number(quantity) || 1 })}
          />
        )}
      </Group>
      <Select
        label="Image"
        required
        searchable
        limit={200}
        value={draft.image ?? null}
        onChange={(image) => change({ image: image ?? undefined })}
        data={offers(images)}
        error={images.error?.message}
      />
      <Select
        label="Size"
        required
        searchable
        value={draft.size ?? null}
        onChange={(size) => change({ size: size ?? undefined })}
        data={offers(sizes)}
        error={sizes.error?.message}
      />
      <Select
        label="Location"
        placeholder="The cloud's choice"
        clearable
        searchable
        value={draft.location ?? null}
        onChange={(location) => change({ location })}
        data={offers(locations)}
      />
      <MultiSelect
        label="Networks"
        placeholder="The cloud's choice"
        value={draft.networks ?? []}
        onChange={(chosen) => change({ networks: chosen })}
        data={offers(networks)}
      />
      <Select
        label="Key that may log in"
        placeholder="The default key"
        clearable
        value={draft.key_id ?? null}
        onChange={(key) => change({ key_id: key })}
        data={keys.map((one) => ({ value: one.id, label: one.name }))}
      />
      <Textarea
        label="cloud-init"
        description="Run at the first start."
        autosize
        minRows={2}
        maxRows={12}
        value={draft.cloud_init ?? ""}
        onChange={(event) => change({ cloud_init: event.currentTarget.value || null })}
      />
    </>
  );
}
