// The keys that a machine is reached with.
import { Button, Group, NumberInput, Select, Text, TextInput } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { useAction } from "../../api/action";
import { get, post, remove } from "../../api/call";
import { useAll } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Key, KeyMachine, Machine } from "../../api/schema";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { DeployKey } from "./DeployKey";
import { TrustHostKey } from "./TrustHostKey";

export function MachineKeys({ machine }: { machine: Machine }) {
  const keys = useAll("key", "/keys");
  const mayChange = useMay("creator");
  const mayDeploy = useMay("admin");
  const found = useQueries({
    queries: (keys.data ?? []).map((key) => ({
      queryKey: ["key", "machines", key.id],
      queryFn: () => get("/keys/{id}/machines", { path: { id: key.id }, query: { limit: 1000 } }),
    })),
  });
  const mine = found.flatMap((one) => one.data?.items.filter((link) => link.machine_id === machine.id) ?? []);
  const detach = useAction(
    (link: KeyMachine) =>
      remove("/keys/{id}/machines/{machine_id}", { path: { id: link.key_id, machine_id: machine.id } }),
    {
      changes: ["key"],
      done: "The key is no longer used for it. The machine goes on to let it in.",
      undo: (_, { key_id, machine_id, user, host, port }) =>
        post("/keys/{id}/machines", { path: { id: key_id } }, { machine_id, user, host, port }),
    },
  );
  const name = (id: string) => keys.data?.find((key) => key.id === id)?.name ?? id;
  if (!keys.data) {
    return (
      <Section title="Keys">
        <Known of={keys} reading="the keys">
          {() => null}
        </Known>
      </Section>
    );
  }
  return (
    <Section title="Keys">
      {mine.length === 0 && (
        <Text size="sm" c="dimmed" mb="xs">
          No key is associated with it. One is needed to ask the machine how it is.
        </Text>
      )}
      {mine.map((link) => (
        <Group key={link.key_id} justify="space-between" py={4}>
          <Text size="sm">
            {name(link.key_id)}{" "}
            <span className="mono">
              {link.user}@{link.host ?? "its address"}:{link.port}
            </span>
          </Text>
          <Group gap={4}>
            {mayChange && link.host_key && <TrustHostKey link={link} />}
            {mayDeploy && <DeployKey link={link} />}
            {mayChange && (
              <Button size="xs" variant="subtle" onClick={() => detach.mutate(link)}>
                Take away
              </Button>
            )}
          </Group>
        </Group>
      ))}
      {mayChange && keys.data.length > 0 && <Attach machine={machine} keys={keys.data} />}
    </Section>
  );
}

function Attach({ machine, keys }: { machine: Machine; keys: Key[] }) {
  const [key, setKey] = useState<string | null>(keys.find((one) => one.default)?.id ?? null);
  const [user, setUser] = useState("root");
  const [host, setHost] = useState("");
  const [port, setPort] = useState<string | number>(22);
  const attach = useAction(
    () =>
      post(
        "/keys/{id}/machines",
        { path: { id: key ?? "" } },
        { machine_id: machine.id, user, host: host || null, port: Number(port) },
      ),
    { changes: ["key"], done: "The key is used for it from now on." },
  );
  return (
    <Group align="flex-end" gap="xs" mt="xs">
      <Select
        label="Key"
        w={180}
        value={key}
        onChange={setKey}
        data={keys.map((one) => ({ value: one.id, label: one.name }))}
      />
      <TextInput label="User" w={110} value={user} onChange={(event) => setUser(event.currentTarget.value)} />
      <TextInput
        label="Address"
        placeholder="Its own"
        w={160}
        value={host}
        onChange={(event) => setHost(event.currentTarget.value)}
      />
      <NumberInput label="Port" w={90} min={1} max={65535} value={port} onChange={setPort} />
      <Button variant="light" disabled={!key} loading={attach.isPending} onClick={() => attach.mutate()}>
        Use this key
      </Button>
    </Group>
  );
}
