// Gives an agent's vault and configurations to another agent, such as that of the machine set up anew.
import { Alert, Button, Group, Modal, PasswordInput, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { get, post } from "../../api/call";
import { useAll } from "../../api/lists";
import { encryptPassword } from "../../api/password";
import type { Agent } from "../../api/schema";

export function MigrateVault({ agent }: { agent: Agent }) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        Give it to another agent
      </Button>
      <Modal opened={opened} onClose={close} title={`Give the vault of ${agent.name} to another agent`} size="lg">
        <Choice agent={agent} onClose={close} />
      </Modal>
    </>
  );
}

function Choice({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const navigate = useNavigate();
  const agents = useAll("agent", "/agents");
  const [to, setTo] = useState<string | null>(null);
  const [password, setPassword] = useState("");
  const target = agents.data?.find((one) => String(one.id) === to);
  const migrate = useAction(
    async () => {
      if (!target) throw new Error("Choose an agent.");
      const key = agent.encrypted && (await get("/agents/{id}/key", { path: { id: target.id } }));
      const sealed = key ? await encryptPassword(key, password) : null;
      return post("/agents/{id}/migrate-vault", { path: { id: agent.id } }, { to: target.id, password: sealed });
    },
    {
      changes: ["agent", "vault", "backup_configuration", "backup"],
      quiet: true,
      done: "The vault and the configurations are the other agent's now.",
      after: (now) => void navigate({ to: `/agents/${now.id}` }),
    },
  );
  const others = agents.data?.filter((one) => one.id !== agent.id) ?? [];
  return (
    <Stack>
      <Text size="sm">
        For a machine that was set up anew: its new agent takes over the vault with all backups, and the
        configurations. {agent.name} is left with an empty vault of its own. The other agent's vault must be empty.
      </Text>
      <Select
        label="The other agent"
        searchable
        value={to}
        onChange={setTo}
        data={others.map((one) => ({ value: String(one.id), label: one.name }))}
        nothingFoundMessage="There is no other agent."
      />
      {agent.encrypted && (
        <PasswordInput
          label="The vault's password"
          description={
            target ? `It is encrypted to the key ${target.fingerprint}.` : "It is encrypted to the other agent."
          }
          autoComplete="off"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
      )}
      {migrate.error && (
        <Alert color="red" role="alert">
          {migrate.error.message}
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        <Button
          disabled={!target || (agent.encrypted && password === "")}
          loading={migrate.isPending}
          onClick={() => migrate.mutate()}
        >
          Give it away
        </Button>
      </Group>
    </Stack>
  );
}
