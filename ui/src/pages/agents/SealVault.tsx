// Seals an agent's vault, or changes the password of a sealed one: what is lost by it is said first.
import { Alert, Button, Checkbox, Group, List, Loader, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { get, post } from "../../api/call";
import { useOne } from "../../api/lists";
import { encryptPassword } from "../../api/password";
import type { Agent, Sealing } from "../../api/schema";
import { isOver } from "../backups/runs";
import { Fingerprint, isWhole, type NewPassword, PasswordFields } from "./PasswordFields";

export function SealVault({ agent }: { agent: Agent }) {
  const [opened, { open, close }] = useDisclosure(false);
  const title = agent.encrypted ? "Change the vault's password" : `Seal the vault of ${agent.name}`;
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        {agent.encrypted ? "Change the password" : "Seal it"}
      </Button>
      <Modal opened={opened} onClose={close} title={title} size="lg">
        <SealForm agent={agent} onClose={close} />
      </Modal>
    </>
  );
}

function SealForm({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  // What it was when the window was opened: it is sealed once this is done.
  const [changes] = useState(agent.encrypted);
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState<NewPassword>({ first: "", again: "" });
  const [known, setKnown] = useState(false);
  const where = { path: { id: agent.id } };
  const seal = useAction<void, Sealing>(
    async () => {
      const key = await get("/agents/{id}/key", where);
      const sealed = await encryptPassword(key, password.first);
      if (!changes) return post("/agents/{id}/encrypt", where, { password: sealed });
      return post("/agents/{id}/password", where, {
        current: await encryptPassword(key, current),
        new: sealed,
      });
    },
    { changes: ["agent", "vault"], quiet: true },
  );
  if (seal.data) return <Standing sealing={seal.data} onClose={onClose} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    seal.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        {!changes && <WhatIsLost />}
        {changes && (
          <PasswordInput
            label="The password until now"
            required
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)}
          />
        )}
        <PasswordFields value={password} onChange={setPassword} />
        <Fingerprint agent={agent} />
        {!changes && (
          <Checkbox
            label="I keep the password where I find it again: without it and the machine, the backups are lost"
            checked={known}
            onChange={(event) => setKnown(event.currentTarget.checked)}
          />
        )}
        {seal.error && (
          <Alert color="red" role="alert">
            {seal.error.message}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button type="submit" loading={seal.isPending} disabled={!isWhole(password) || !(changes || known)}>
            {changes ? "Change it" : "Seal it"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function WhatIsLost() {
  return (
    <Alert color="yellow" title="What works no more, since the server cannot look into a sealed vault">
      <List size="sm">
        <List.Item>Browsing, finding, comparing and downloading files of backups on this page</List.Item>
        <List.Item>Drills, copies and repairs of the vault by the server</List.Item>
        <List.Item>Checks and cleanups while the agent is away: it does them, at the same times</List.Item>
        <List.Item>Restores to another machine without the password</List.Item>
      </List>
      <Text size="sm" mt="xs">
        The next backup is a full one, into a new vault. The vault before stays readable until you delete it.
      </Text>
    </Alert>
  );
}

/** How far it is: it waits for the agent, and for what that has in hand. */
function Standing({ sealing, onClose }: { sealing: Sealing; onClose: () => void }) {
  const { data = sealing } = useOne("sealing", "/sealings/{id}", { path: { id: sealing.id } });
  const done = data.kind === "seal" ? "The vault is sealed." : "The password was changed.";
  return (
    <Stack>
      {!isOver(data.state) && (
        <Group>
          <Loader size="sm" aria-label="Waiting for the agent" />
          <Text size="sm">
            {data.state === "queued"
              ? "It begins as soon as the agent is there and has nothing else in hand. This window may be closed."
              : "The agent is at it."}
          </Text>
        </Group>
      )}
      {isOver(data.state) && (
        <Alert color={data.state === "completed" ? "green" : "red"} role="status">
          {data.state === "completed" ? done : (data.reason ?? "It did not come to its end.")}
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
      </Group>
    </Stack>
  );
}
