// Which machine an agent runs on: known, or to be said.
import { Button, Group, Text } from "@mantine/core";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Agent, AgentMachine } from "../../api/schema";
import { GoTo } from "../../components/GoTo";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";

export function AgentMachines({ agent }: { agent: Agent }) {
  const found = useOne("agent_machine", "/agents/{id}/machines", { path: { id: agent.id } });
  return (
    <Known of={found} reading="the machine it runs on" quiet>
      {({ items }) => items.length > 0 && <Choice agent={agent} machines={items} />}
    </Known>
  );
}

function Choice({ agent, machines }: { agent: Agent; machines: AgentMachine[] }) {
  const where = { path: { id: agent.id } };
  const mayJoin = useMay("creator");
  const changes = ["agent_machine", "agent", "machine"];
  const attach = useAction(
    (one: AgentMachine) => post("/agents/{id}/machine", where, { machine_id: one.machine_id }),
    {
      changes,
      done: "It is known to run on that machine.",
      undo: () => remove("/agents/{id}/machine", where),
    },
  );
  const detach = useAction((_: AgentMachine) => remove("/agents/{id}/machine", where), {
    changes,
    done: "It is known to run on none of the machines.",
    undo: (_, one) => post("/agents/{id}/machine", where, { machine_id: one.machine_id }),
  });
  return (
    <Section title="The machine it runs on">
      {machines.map((one) => (
        <Group key={one.machine_id} justify="space-between" py={4} gap="sm">
          <Text size="sm">
            <GoTo to={`/machines/${one.machine_id}`}>{one.machine_name}</GoTo>{" "}
            <Text span c="dimmed">
              {one.reasons.join(", ")}
            </Text>
          </Text>
          {mayJoin && (
            <Button
              size="xs"
              variant="light"
              onClick={() => (one.attached ? detach : attach).mutate(one)}
            >
              {one.attached ? "Not this one" : "It is this one"}
            </Button>
          )}
        </Group>
      ))}
    </Section>
  );
}
