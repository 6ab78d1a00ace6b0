// Gives an agent's vault and configurations to another agent, such as that of the machine set up anew.
import { PasswordInput, Select, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { get, post } from "../../api/call";
import { useAll } from "../../api/lists";
import { encryptPassword } from "../../api/password";
import type { Agent } from "../../api/schema";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";

export function MigrateVault({ agent }: { agent: Agent }) {
  return (
    <Dialog
      label="Give it to another agent"
      size="xs"
      variant="default"
      title={`Give the vault of ${agent.name} to another agent`}
      wide
    >
      {(close) => <MigrateForm agent={agent} onLeave={close} />}
    </Dialog>
  );
}

function MigrateForm({ agent, onLeave }: { agent: Agent; onLeave: () => void }) {
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
    <Form
      send="Give it away"
      action={migrate}
      onLeave={onLeave}
      disabled={!target || (agent.encrypted && password === "")}
    >
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
        error={agents.error?.message}
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
    </Form>
  );
}
