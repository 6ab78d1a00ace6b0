// Copies what a vault holds: into another vault, or to a place that the server's operator allows.
import { Alert, Checkbox, Select, SegmentedControl, Text } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useAll } from "../../api/lists";
import { useAgentNames } from "../../api/names";
import type { CopyTarget, Vault } from "../../api/schema";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";
import { Known } from "../../components/Known";
import { bytes, plural } from "../../format/bytes";

export function CopyVault({ vault }: { vault: Vault }) {
  return (
    <Dialog label="Copy" size="xs" variant="default" title="Copy what this vault holds" wide>
      {(close) => <CopyForm vault={vault} onLeave={close} />}
    </Dialog>
  );
}

type Where = "vault" | "place";

function CopyForm({ vault, onLeave }: { vault: Vault; onLeave: () => void }) {
  const navigate = useNavigate();
  const [where, setWhere] = useState<Where>("vault");
  const [other, setOther] = useState<string | null>(null);
  const [place, setPlace] = useState<string | null>(null);
  const [rechunk, setRechunk] = useState(false);
  const destination = where === "vault" ? { to_vault: other } : { to_target: place };
  const copy = useAction(() => post("/vaults/{id}/tasks", { path: { id: vault.id } }, { kind: "copy", ...destination, rechunk }), {
    changes: ["vault_task", "activity"],
    quiet: true,
    after: (task) => void navigate({ to: `/vault-tasks/${task.id}` as "/" }),
  });
  return (
    <Form send="Copy it" action={copy} onLeave={onLeave} disabled={where === "vault" ? !other : !place}>
      <Text size="sm">
        {plural(vault.snapshot_count, "backup")}, {bytes(vault.size_bytes)}: what is there already is not copied again,
        and nothing here changes.
      </Text>
      <SegmentedControl
        aria-label="Where to"
        value={where}
        onChange={(value) => setWhere(value as Where)}
        data={[
          { value: "vault", label: "To another vault" },
          { value: "place", label: "To a place of the server" },
        ]}
      />
      {where === "vault" ? (
        <OtherVault of={vault} value={other} onChange={setOther} />
      ) : (
        <Place value={place} onChange={setPlace} />
      )}
      <Checkbox
        label="Cut the files anew, as the destination does"
        description="Its later backups then share parts of large files with the copies; it takes as long as a backup."
        checked={rechunk}
        onChange={(event) => setRechunk(event.currentTarget.checked)}
      />
    </Form>
  );
}

interface ChoiceProps {
  value: string | null;
  onChange: (value: string | null) => void;
}

function OtherVault({ of, ...choice }: ChoiceProps & { of: Vault }) {
  const name = useAgentNames();
  const vaults = useAll("vault", "/vaults");
  const others = vaults.data?.filter((one) => one.mode === "managed" && one.id !== of.id) ?? [];
  return (
    <Select
      {...choice}
      label="The other vault"
      description="Copies are kept there whatever its rules say of its own backups."
      required
      searchable
      data={others.map((one) => ({ value: one.id, label: labelOf(one, name) }))}
      nothingFoundMessage="There is no other vault of which the server holds the password."
      error={vaults.error?.message}
    />
  );
}

function labelOf(vault: Vault, name: (id: number) => string): string {
  const told = `${name(vault.agent_id)}, ${bytes(vault.size_bytes)}`;
  return vault.current ? told : `${told}, only read (${vault.id})`;
}

const STORES: Record<CopyTarget["store"], string> = { disk: "a folder", bucket: "a bucket" };

/** The places that the operator has set, and what to do where there are none. */
function Place(choice: ChoiceProps) {
  const places = useAll("copy_target", "/copy-targets");
  return (
    <Known of={places} reading="the places">
      {(all) =>
        all.length === 0 ? (
          <Alert color="gray" title="There are no places yet">
            The server's operator sets them: <code className="mono">copy_targets</code> in the server's configuration
            file, such as <code className="mono">offsite=/mnt/offsite</code> or a bucket's address.
          </Alert>
        ) : (
          <Select
            {...choice}
            label="The place"
            description="Each vault has a repository of its own there, with its own password."
            required
            data={all.map((one) => ({ value: one.name, label: `${one.name}, ${STORES[one.store]}` }))}
          />
        )
      }
    </Known>
  );
}
