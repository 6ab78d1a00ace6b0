// How much room backups may take.
import { Button, Group, NumberInput, Progress, Select } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll, useList } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
import type { Quota } from "../../api/schema";
import type { Column } from "../../components/DataTable";
import { ListSection } from "../../components/ListSection";
import { bytes } from "../../format/bytes";

const GIB = 1024 ** 3;

export function Quotas() {
  const list = useList("quota", "/quotas");
  const maySet = useMay("admin");
  const name = useVaultNames();
  const clear = useAction((quota: Quota) => post("/quotas/delete", {}, { vault_id: quota.vault_id }), {
    changes: ["quota"],
    done: "There is no such limit any more.",
    undo: (_, { vault_id, bytes: limit }) => post("/quotas", {}, { vault_id, bytes: limit }),
  });
  const columns: Column<Quota>[] = [
    { header: "For", width: "minmax(120px, 1.2fr)", cell: ({ row }) => name(row.original.vault_id) },
    { header: "Taken", width: "minmax(150px, 1.5fr)", cell: ({ row }) => <Taken quota={row.original} /> },
    { header: "Of", width: "90px", right: true, cell: ({ row }) => bytes(row.original.bytes) },
    {
      header: "Remove",
      width: "90px",
      right: true,
      cell: ({ row }) =>
        maySet && (
          <Button size="xs" variant="subtle" onClick={() => clear.mutate(row.original)}>
            Remove
          </Button>
        ),
    },
  ];
  const empty = {
    icon: IconGauge,
    title: "No quotas",
    hint: "Without one, backups may take all the room that the store has.",
  };
  return (
    <ListSection
      label="Quotas"
      list={list}
      columns={columns}
      empty={empty}
      rowKey={(one) => one.vault_id ?? "account"}
      actions={maySet && <SetQuota name={name} />}
    />
  );
}

function useVaultNames(): (id?: string | null) => string {
  const vaults = useAll("vault", "/vaults");
  const agent = useAgentNames();
  return (id) => {
    if (!id) return "The account";
    const vault = vaults.data?.find((one) => one.id === id);
    return vault ? `Vault of ${agent(vault.agent_id)}` : id;
  };
}

function Taken({ quota }: { quota: Quota }) {
  const share = (quota.used_bytes / quota.bytes) * 100;
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress
        value={share}
        color={share > 90 ? "red" : undefined}
        style={{ flex: 1 }}
        aria-label={`${share.toFixed(0)} % taken`}
      />
      {bytes(quota.used_bytes)}
    </Group>
  );
}

function SetQuota({ name }: { name: (id?: string | null) => string }) {
  const vaults = useAll("vault", "/vaults");
  const [subject, setSubject] = useState("account");
  const [room, setRoom] = useState<string | number>("");
  const set = useAction(
    () =>
      post(
        "/quotas",
        {},
        { bytes: Math.round(Number(room) * GIB), vault_id: subject === "account" ? null : subject },
      ),
    { changes: ["quota"], done: "The quota is set. What is there already stays.", after: () => setRoom("") },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate();
  };
  const subjects = [
    { value: "account", label: "The account" },
    ...(vaults.data ?? []).map((vault) => ({ value: vault.id, label: name(vault.id) })),
  ];
  return (
    <form onSubmit={submit}>
      <Group gap="xs">
        <Select
          size="xs"
          aria-label="For"
          searchable
          allowDeselect={false}
          value={subject}
          onChange={(value) => setSubject(value ?? "account")}
          data={subjects}
        />
        <NumberInput
          size="xs"
          aria-label="GiB"
          placeholder="GiB"
          required
          min={0.001}
          w={100}
          suffix=" GiB"
          value={room}
          onChange={setRoom}
        />
        <Button size="xs" type="submit" loading={set.isPending}>
          Set
        </Button>
      </Group>
    </form>
  );
}
