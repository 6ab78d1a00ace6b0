// The last lines of an agent's log, asked of the agent itself, and how much it says.
import { Button, Code, Group, Select, Text } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { get, post } from "../../api/call";
import { useMay } from "../../api/me";
import type { Agent, AgentLog as Log, LogLevel } from "../../api/schema";
import { Scrolled } from "../../components/Scrolled";
import { Section } from "../../components/Section";

const LEVELS: { value: LogLevel; label: string }[] = [
  { value: "error", label: "Errors alone" },
  { value: "warn", label: "Also warnings" },
  { value: "info", label: "What happens" },
  { value: "debug", label: "Also why" },
  { value: "trace", label: "Every step" },
];

export function AgentLog({ agent }: { agent: Agent }) {
  const where = { path: { id: agent.id } };
  const may = useMay("creator");
  const [log, setLog] = useState<Log>();
  const read = useAction(() => get("/agents/{id}/log", where), { changes: [], after: setLog });
  const set = useAction((level: LogLevel) => post("/agents/{id}/log-level", where, { level }), {
    changes: [],
    done: "It says so much until it starts anew.",
    after: setLog,
  });
  if (!may || !agent.connected) return null;
  const actions = (
    <Group gap="xs">
      {log && (
        <Select
          size="xs"
          w={150}
          aria-label="How much it says"
          placeholder="As RUST_LOG says"
          allowDeselect={false}
          value={log.level ?? null}
          onChange={(level) => level && set.mutate(level)}
          data={LEVELS}
        />
      )}
      <Button size="xs" variant="light" loading={read.isPending} onClick={() => read.mutate()}>
        {log ? "Read again" : "Read it"}
      </Button>
    </Group>
  );
  return (
    <Section title="Log" actions={actions}>
      {log ? (
        <Scrolled label="Lines of the log" most="50dvh">
          <Code block>{log.lines.join("\n") || "Nothing yet."}</Code>
        </Scrolled>
      ) : (
        <Text size="sm" c="dimmed">
          What the agent said last, and how much it says.
        </Text>
      )}
    </Section>
  );
}
