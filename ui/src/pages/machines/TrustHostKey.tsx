// A machine that was set up anew shows another host key: that one is trusted once somebody says so.
import { Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import type { KeyMachine } from "../../api/schema";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";

export function TrustHostKey({ link }: { link: KeyMachine }) {
  return (
    <Dialog label="Host key" size="xs" variant="subtle" title="Trust another host key?" wide>
      {(close) => <TrustForm link={link} onDone={close} />}
    </Dialog>
  );
}

function TrustForm({ link, onDone }: { link: KeyMachine; onDone: () => void }) {
  const [fingerprint, setFingerprint] = useState("");
  const where = { path: { id: link.key_id, machine_id: link.machine_id } };
  const accept = useAction(
    () => post("/keys/{id}/machines/{machine_id}/host-key", where, { fingerprint: fingerprint.trim() || null }),
    {
      changes: ["key"],
      quiet: true,
      done: (now) => `The machine is trusted with ${now.host_key}.`,
      after: onDone,
    },
  );
  return (
    <Form send="Trust what it shows now" action={accept} onLeave={onDone}>
      <Text size="sm">
        The machine is let no password and no key before it shows <span className="mono">{link.host_key}</span>. One that
        was set up anew shows another. Somebody in between would, too: compare it with what the machine's own console says
        (<code className="mono">ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub</code>).
      </Text>
      <TextInput
        label="The fingerprint that it has to show now"
        description="Whatever it shows is trusted when empty."
        placeholder="SHA256:..."
        value={fingerprint}
        onChange={(event) => setFingerprint(event.currentTarget.value)}
      />
    </Form>
  );
}
