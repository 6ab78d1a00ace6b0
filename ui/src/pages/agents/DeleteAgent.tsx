// Deletes an agent: first the plan, and what becomes of its vault has to be said.
import { Alert, Button, Group, Loader, Modal, Radio, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { remove } from "../../api/call";
import { useOne } from "../../api/lists";
import type { Agent, AgentDeletionPlan, VaultFate } from "../../api/schema";
import { bytes, plural } from "../../format/bytes";

export function DeleteAgent({ agent }: { agent: Agent }) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button variant="default" className="danger" onClick={open}>
        Delete
      </Button>
      <Modal opened={opened} onClose={close} title={`Delete ${agent.name}?`} size="lg">
        <Plan agent={agent} onClose={close} />
      </Modal>
    </>
  );
}

function Plan({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const navigate = useNavigate();
  const [fate, setFate] = useState<VaultFate>();
  const [typed, setTyped] = useState("");
  const plan = useOne("agent", "/agents/{id}/deletion", { path: { id: agent.id } });
  const forget = useAction(
    () => remove("/agents/{id}", { path: { id: agent.id }, query: { vault: fate } }),
    {
      changes: ["agent", "vault", "backup_configuration", "machine"],
      quiet: true,
      done: `${agent.name} was deleted.`,
      after: () => void navigate({ to: "/agents" }),
    },
  );
  const error = plan.error ?? forget.error;
  return (
    <Stack>
      {error && (
        <Alert color="red" role="alert">
          {error.message}
        </Alert>
      )}
      {plan.isPending && <Loader aria-label="Reading the plan" />}
      {plan.data && (
        <>
          <WhatGoes plan={plan.data} />
          <Radio.Group label="Its vault" value={fate ?? ""} onChange={(value) => setFate(value as VaultFate)}>
            <Stack gap="xs" mt="xs">
              <Radio
                value="keep"
                label="Stays: its backups can be restored to other agents"
                description="It is among the vaults that no agent backs up to, and can be deleted there."
              />
              <Radio
                value="delete"
                label={`Is deleted, with ${plural(plan.data.vault_snapshot_count, "backup")}`}
                description={`${bytes(plan.data.vault_size_bytes)}, for ever.`}
              />
            </Stack>
          </Radio.Group>
          <TextInput
            label={`Type ${agent.name} to go on`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        </>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Leave it
        </Button>
        <Button
          color="red"
          disabled={!fate || typed !== agent.name}
          loading={forget.isPending}
          onClick={() => forget.mutate()}
        >
          Delete the agent
        </Button>
      </Group>
    </Stack>
  );
}

function WhatGoes({ plan }: { plan: AgentDeletionPlan }) {
  const names = plan.backup_configurations;
  return (
    <Text size="sm" component="div">
      The machine backs up no more, and its agent is turned away.
      {names.length > 0 && (
        <>
          {" "}
          {plural(names.length, "configuration")} {names.length === 1 ? "goes" : "go"} with it: {names.join(", ")}.
        </>
      )}
      {plan.active_runs > 0 && <> {plural(plan.active_runs, "run")} in hand or waiting will be cancelled.</>}
    </Text>
  );
}
