// Adds a key: made here, or brought.
import { PasswordInput, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import type { NewKeyKind } from "../../api/schema";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";

export function AddKey() {
  return (
    <Dialog label="Add a key" leftSection={<IconPlus size={16} />} title="Add a key">
      {(close) => <KeyForm onDone={close} />}
    </Dialog>
  );
}

function KeyForm({ onDone }: { onDone: () => void }) {
  const [way, setWay] = useState("generate");
  const [name, setName] = useState("");
  const [kind, setKind] = useState<NewKeyKind>("ed25519");
  const [text, setText] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const body =
    way === "generate"
      ? { name, generate: kind }
      : { name, private_key: text, passphrase: passphrase || null };
  const add = useAction(() => post("/keys", {}, body), {
    changes: ["key"],
    quiet: true,
    done: `${name} was added.`,
    after: onDone,
  });
  return (
    <Form send="Add it" action={add} onLeave={onDone}>
      <SegmentedControl
        aria-label="How"
        value={way}
        onChange={setWay}
        data={[
          { value: "generate", label: "Make a new one" },
          { value: "bring", label: "Bring one" },
        ]}
      />
      <TextInput
        label="Name"
        required
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {way === "generate" ? (
        <Select
          label="Kind"
          allowDeselect={false}
          value={kind}
          onChange={(value) => setKind(value ?? "ed25519")}
          data={[
            { value: "ed25519" as const, label: "Ed25519" },
            { value: "rsa" as const, label: "RSA, 3072 bits" },
          ]}
        />
      ) : (
        <>
          <Textarea
            label="Private half"
            description="In PEM. It is kept sealed, and only admins can read it back."
            required
            autosize
            minRows={4}
            maxRows={10}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <PasswordInput
            label="Its passphrase, if it has one"
            value={passphrase}
            onChange={(event) => setPassphrase(event.currentTarget.value)}
          />
        </>
      )}
    </Form>
  );
}
