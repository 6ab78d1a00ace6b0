// The private half of a key, read only when asked for; who asked is in the audit log.
import { Alert, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { get } from "../../api/call";
import type { Key } from "../../api/schema";
import { CopyLine } from "../../components/CopyLine";
import { Form } from "../../components/Form";

export function PrivateKey({ item, onLeave }: { item: Key; onLeave: () => void }) {
  const read = useAction(() => get("/keys/{id}/private", { path: { id: item.id } }), {
    changes: ["audit"],
    quiet: true,
  });
  if (read.data) {
    return (
      <>
        <Alert color="yellow" mb="sm">
          Whoever has it gets in wherever the key does. Keep it where only you can read it.
        </Alert>
        <CopyLine label="the private half" text={read.data.private_key} />
      </>
    );
  }
  return (
    <Form send="Show it" action={read} onLeave={onLeave}>
      <Text size="sm">
        Whoever has it gets in at every machine that lets the key in. That you asked will stand in the audit log.
      </Text>
    </Form>
  );
}
