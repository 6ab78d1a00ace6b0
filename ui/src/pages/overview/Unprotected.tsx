// The machines of which nothing could be brought back: what no list of one cloud tells.
import { Text } from "@mantine/core";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { useBackendTitles } from "../../api/names";
import type { Machine } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { GoTo } from "../../components/GoTo";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";
import { count } from "../../format/bytes";
import { Protect } from "../machines/Protect";
import { Protection } from "../machines/Protection";

const MOST = 6;

export function Unprotected() {
  const found = useOne("machine", "/machines", { query: { protected: false, limit: MOST } });
  return (
    <Known of={found} reading="the unprotected machines" quiet>
      {({ items }) => items.length > 0 && <Listed machines={items} />}
    </Known>
  );
}

function Listed({ machines }: { machines: Machine[] }) {
  const backend = useBackendTitles();
  const mayProtect = useMay("admin");
  const { data: counts } = useOne("machine", "/machines/count");
  const all = (
    <ButtonLink to="/machines?protection=unprotected" size="xs" variant="light">
      {counts ? `Show all ${count(counts.unprotected)}` : "Show all"}
    </ButtonLink>
  );
  return (
    <Section title="Unprotected machines" actions={all}>
      <Text size="sm" c="dimmed" mb={4}>
        They have no backup that is good and in time: nothing of them could be brought back.
      </Text>
      {machines.map((machine) => (
        <div className="pair" key={machine.id}>
          <span className="cell">
            <GoTo to={`/machines/${machine.id}`}>{machine.name}</GoTo>{" "}
            <Text span size="sm" c="dimmed">
              on {backend(machine.backend_id)}
            </Text>
          </span>
          <span style={{ display: "flex", gap: 8, alignItems: "center" }}>
            <Protection machine={machine} />
            {mayProtect && !machine.agent_id && <Protect machine={machine} size="compact-xs" />}
          </span>
        </div>
      ))}
    </Section>
  );
}
