// A machine's agent and its backups, or how it gets some.
import { Text } from "@mantine/core";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
import type { Machine } from "../../api/schema";
import { Facts } from "../../components/Facts";
import { GoTo } from "../../components/GoTo";
import { Section } from "../../components/Section";
import { When } from "../../components/When";
import { Enrol } from "../agents/Enrol";
import { Protect } from "./Protect";
import { Protection } from "./Protection";

export function MachineProtection({ machine }: { machine: Machine }) {
  const agent = useAgentNames();
  const mayEnrol = useMay("creator");
  const mayProtect = useMay("admin");
  if (!machine.agent_id) {
    return (
      <Section
        title="Protection"
        actions={
          <>
            {mayProtect && <Protect machine={machine} size="xs" variant="filled" />}
            {mayEnrol && <Enrol size="xs" variant={mayProtect ? "default" : "light"} />}
          </>
        }
      >
        <Text size="sm" c="dimmed">
          No agent is known to run on it, so nothing of it could be brought back. An agent that is enrolled on
          it is joined by itself where that is sure; else the agent's own page says which machine it is.
        </Text>
      </Section>
    );
  }
  return (
    <Section title="Protection">
      <Facts
        facts={[
          ["State", <Protection key="p" machine={machine} />],
          [
            "Agent",
            <GoTo key="a" to={`/agents/${machine.agent_id}`}>
              {agent(machine.agent_id)}
            </GoTo>,
          ],
          [
            "Last good backup",
            machine.last_good_backup_at && <When at={machine.last_good_backup_at} absolute />,
          ],
        ]}
      />
    </Section>
  );
}
