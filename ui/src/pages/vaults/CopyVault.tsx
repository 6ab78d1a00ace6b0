// Copies what a vault holds: into another vault, or to a place that the server's operator allows.
import { Alert, Button, Group, Modal, Select, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { Vault } from "../../api/schema";
import { bytes, plural } from "../../format/bytes";

export function CopyVault({ vault }: { vault: Vault }) {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        Copy
      </Button>
      <Modal opened={opened} onClose={close} title="Copy what this vault holds" size="lg">
        <Choice vault={vault} onClose={close} />
      </Modal>
    </>
  );
}

function Choice({ vault, onClose }: { vault: Vault; onClose: () => void }) {
  const navigate = useNavigate();
  const name = useAgentNames();
  const vaults = useAll("vault", "/vaults");
  const [where, setWhere] = useState("vault");
  const [other, setOther] = useState<string | null>(null);
  const [place, setPlace] = useState("");
  const others = vaults.data?.filter((one) => one.mode === "managed" && one.id !== vault.id) ?? [];
  const destination = where === "vault" ? { to_vault: other } : { to_target: place.trim() };
  const copy = useAction(() => post("/vaults/{id}/tasks", { path: { id: vault.id } }, { kind: "copy", ...destination }), {
    changes: ["vault_task", "activity"],
    quiet: true,
    after: (task) => void navigate({ to: `/vault-tasks/${task.id}` as "/" }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    copy.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">
          {plural(vault.snapshot_count, "backup")}, {bytes(vault.size_bytes)}: what is there already is not copied again,
          and nothing here changes.
        </Text>
        <SegmentedControl
          aria-label="Where to"
          value={where}
          onChange={setWhere}
          data={[
            { value: "vault", label: "To another vault" },
            { value: "place", label: "To a place of the server" },
          ]}
        />
        {where === "vault" ? (
          <Select
            label="The other vault"
            description="Copies are kept there whatever its rules say of its own backups."
            required
            searchable
            value={other}
            onChange={setOther}
            data={others.map((one) => ({ value: one.id, label: labelOf(one, name) }))}
            nothingFoundMessage="There is no other vault of which the server holds the password."
          />
        ) : (
          <TextInput
            label="Name of the place"
            description="Places are set by the server's operator (copy_targets), and known by name. Of a name that is none of them the answer tells those that there are."
            placeholder="offsite"
            required
            value={place}
            onChange={(event) => setPlace(event.currentTarget.value)}
          />
        )}
        {copy.error && (
          <Alert color="red" role="alert">
            {copy.error.message}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Leave it
          </Button>
          <Button
            type="submit"
            disabled={where === "vault" ? !other : place.trim() === ""}
            loading={copy.isPending}
          >
            Copy it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function labelOf(vault: Vault, name: (id: number) => string): string {
  const told = `${name(vault.agent_id)}, ${bytes(vault.size_bytes)}`;
  return vault.current ? told : `${told}, only read (${vault.id})`;
}
