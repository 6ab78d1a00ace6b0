// What a machine printed on its console. It may hold secrets, so it is read only when asked for.
import { Alert, Button, Code, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { get } from "../../api/call";
import { useMay } from "../../api/me";
import type { Machine } from "../../api/schema";
import { Scrolled } from "../../components/Scrolled";
import { Section } from "../../components/Section";

export function MachineConsole({ machine }: { machine: Machine }) {
  const read = useAction(() => get("/machines/{id}/console", { path: { id: machine.id } }), {
    changes: [],
    quiet: true,
  });
  const may = useMay("creator");
  if (!may) return null;
  const button = (
    <Button size="xs" variant="light" loading={read.isPending} onClick={() => read.mutate()}>
      {read.data ? "Read again" : "Read it"}
    </Button>
  );
  return (
    <Section title="Console output" actions={button}>
      {read.error && <Alert color="red">{read.error.message}</Alert>}
      {read.data ? (
        <Scrolled label="Console output" most="50dvh">
          <Code block>{read.data.text || "Nothing yet."}</Code>
        </Scrolled>
      ) : (
        <Text size="sm" c="dimmed">
          What it printed while it started, where the backend keeps it. It may hold secrets.
        </Text>
      )}
    </Section>
  );
}
