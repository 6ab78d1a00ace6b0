// Adds a key: made here, or brought.
import {
  Alert,
  Button,
  Group,
  Modal,
  PasswordInput,
  SegmentedControl,
  Select,
  Stack,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import type { NewKeyKind } from "../../api/schema";

export function AddKey() {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button leftSection={<IconPlus size={16} />} onClick={open}>
        Add a key
      </Button>
      <Modal opened={opened} onClose={close} title="Add a key">
        <KeyForm onDone={close} />
      </Modal>
    </>
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
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
        {add.error && (
          <Alert color="red" role="alert">
            {add.error.message}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={add.isPending}>
            Add it
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
