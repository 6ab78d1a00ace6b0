// One table of machines over all backends.
import { Checkbox, Group, Select, Text, TextInput } from "@mantine/core";
import { IconPlus, IconServer2 } from "@tabler/icons-react";
import { useState } from "react";
import { useAll, useList } from "../../api/lists";
import { useMay } from "../../api/me";
import { useBackendTitles } from "../../api/names";
import type { Machine } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { type Column, DataTable } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { SearchBox } from "../../components/SearchBox";
import { plural } from "../../format/bytes";
import { words } from "../../format/words";
import { BulkActions } from "./BulkActions";
import { machineColumns } from "./columns";
import { PROTECTIONS, queryOf, STATES, useFilters } from "./filters";
import { SavedViews } from "./SavedViews";

export default function Machines() {
  const [filters, setFilters] = useFilters();
  const { search, backend, state, tag, protection } = filters;
  const list = useList("machine", "/machines", { query: queryOf(filters) });
  const backends = useAll("backend", "/backends");
  const title = useBackendTitles();
  const mayChange = useMay("creator");
  const [chosen, setChosen] = useState<Map<string, Machine>>(new Map());
  const toggle = (machine: Machine) => {
    const next = new Map(chosen);
    if (!next.delete(machine.id)) next.set(machine.id, machine);
    setChosen(next);
  };
  const all = list.items.length > 0 && chosen.size >= list.items.length;
  const choice: Column<Machine> = {
    id: "chosen",
    width: "24px",
    header: () => (
      <Checkbox
        size="xs"
        aria-label="Choose all that are listed"
        checked={all}
        indeterminate={!all && chosen.size > 0}
        onChange={() =>
          setChosen(all ? new Map() : new Map(list.items.map((machine) => [machine.id, machine])))
        }
      />
    ),
    cell: ({ row: { original } }) => (
      <Checkbox
        size="xs"
        aria-label={`Choose ${original.name}`}
        checked={chosen.has(original.id)}
        onChange={() => toggle(original)}
      />
    ),
  };
  const columns = mayChange ? [choice, ...machineColumns(title)] : machineColumns(title);
  const isFiltered = Boolean(search || backend || state || tag || protection);
  const known = backends.data?.reduce((sum, one) => sum + one.machine_count, 0) ?? 0;
  const empty = isFiltered
    ? { icon: IconServer2, title: "No machine matches", hint: "Take a filter away to see more." }
    : {
        icon: IconServer2,
        title: "No machines yet",
        hint: "Add a backend, and its machines are listed here.",
        action: mayChange && <ButtonLink to="/backends/add">Add a backend</ButtonLink>,
      };
  return (
    <>
      <PageHeader
        title="Machines"
        about={`${plural(known, "machine")} on ${plural(backends.data?.length ?? 0, "backend")}.`}
      >
        {mayChange && (
          <ButtonLink to="/machines/create" leftSection={<IconPlus size={16} />}>
            Create machines
          </ButtonLink>
        )}
      </PageHeader>
      <Group mb="sm" gap="xs">
        <SearchBox
          label="Search name, id, address or tag"
          value={search ?? ""}
          onChange={(text) => setFilters({ search: text })}
        />
        <Select
          aria-label="Backend"
          placeholder="Every backend"
          clearable
          searchable
          w={180}
          value={backend ?? null}
          onChange={(value) => setFilters({ backend: value ?? undefined })}
          data={backends.data?.map((one) => ({ value: one.id, label: one.title })) ?? []}
        />
        <Select
          aria-label="State"
          placeholder="Every state"
          clearable
          w={140}
          value={state ?? null}
          onChange={(value) => setFilters({ state: value ?? undefined })}
          data={STATES.map((value) => ({ value, label: words(value) }))}
        />
        <Select
          aria-label="Protection"
          placeholder="Protected or not"
          clearable
          w={170}
          value={protection ?? null}
          onChange={(value) => setFilters({ protection: value ?? undefined })}
          data={PROTECTIONS}
        />
        <TextInput
          aria-label="Tag"
          placeholder="Tag"
          w={120}
          key={tag}
          defaultValue={tag ?? ""}
          onBlur={(event) => setFilters({ tag: event.currentTarget.value })}
          onKeyDown={(event) => event.key === "Enter" && setFilters({ tag: event.currentTarget.value })}
        />
        <SavedViews filters={filters} onChoose={setFilters} />
      </Group>
      {chosen.size > 0 && <BulkActions machines={[...chosen.values()]} onDone={() => setChosen(new Map())} />}
      <div className="panel">
        <DataTable
          label="Machines"
          list={list}
          columns={columns}
          empty={empty}
          rowKey={(one) => one.id}
          href={(one) => `/machines/${one.id}`}
        />
      </div>
      {list.items.length > 0 && (
        <Text size="xs" c="dimmed" mt="xs" aria-live="polite">
          {plural(list.items.length, "machine")}{" "}
          {list.hasMore ? "read so far; scroll down for more." : "in all."}
        </Text>
      )}
    </>
  );
}
