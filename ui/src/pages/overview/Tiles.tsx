// The numbers that one looks at first.
import { SimpleGrid, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useAll, useOne } from "../../api/lists";
import { bytes, count, plural } from "../../format/bytes";

export function Tiles() {
  const backends = useAll("backend", "/backends");
  const agents = useAll("agent", "/agents");
  const vaults = useAll("vault", "/vaults");
  const running = useAll("activity", "/activity", { active: true });
  const alarms = useAll("alarm", "/alarms", { open: true });
  const { data: counts } = useOne("machine", "/machines/count");
  const offline = backends.data?.filter((backend) => backend.enabled && backend.state === "offline").length ?? 0;
  const away = agents.data?.filter((agent) => !agent.connected).length ?? 0;
  const size = vaults.data?.reduce((sum, vault) => sum + vault.size_bytes, 0);
  const open = alarms.data?.length;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm" mb="md">
      <Tile
        to="/machines"
        name="Machines"
        value={told(counts?.machines)}
        note={
          offline > 0
            ? `${offline} of ${plural(backends.data?.length ?? 0, "backend")} offline`
            : `on ${plural(backends.data?.length ?? 0, "backend")}`
        }
        bad={offline > 0}
      />
      <Tile
        to="/machines?protection=unprotected"
        name="Unprotected"
        value={told(counts?.unprotected)}
        note={counts?.machines && !counts.unprotected ? "all have good backups" : "without a good backup"}
        bad={Boolean(counts?.unprotected)}
      />
      <Tile
        to="/alarms"
        name="Alarms"
        value={told(open)}
        note={open ? "need somebody" : "all is well"}
        bad={Boolean(open)}
      />
      <Tile to="/activity" name="Running now" value={told(running.data?.length)} note="backups, restores, checks" />
      <Tile
        to="/agents"
        name="Agents"
        value={told(agents.data?.length)}
        note={away > 0 ? `${count(away)} not connected` : agents.data?.length ? "all connected" : "none enrolled yet"}
        bad={away > 0}
      />
      <Tile
        to="/agents"
        name="Stored"
        value={size === undefined ? "–" : bytes(size)}
        note={`in ${plural(vaults.data?.length ?? 0, "vault")}`}
      />
    </SimpleGrid>
  );
}

function told(number?: number): string {
  return number === undefined ? "–" : count(number);
}

interface TileProps {
  to: string;
  name: string;
  value: string;
  note: string;
  bad?: boolean;
}

function Tile({ to, name, value, note, bad = false }: TileProps) {
  return (
    <Link to={to} className="panel tile">
      <Text size="xs" c="dimmed" fw={600}>
        {name}
      </Text>
      <Text className="tile-value">{value}</Text>
      <Text size="xs" className={bad ? "bad" : undefined} c={bad ? undefined : "dimmed"}>
        {note}
      </Text>
    </Link>
  );
}
