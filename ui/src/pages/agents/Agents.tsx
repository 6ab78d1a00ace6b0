// All agents, with their vaults.
import { Badge } from "@mantine/core";
import { IconShieldCheck } from "@tabler/icons-react";
import { useMemo } from "react";
import { useAll, useList } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Agent } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { bytes, count } from "../../format/bytes";
import { Enrol } from "./Enrol";
import { OldVaults } from "./OldVaults";
import { agentState } from "./state";

export default function Agents() {
  const list = useList("agent", "/agents");
  const vaults = useAll("vault", "/vaults");
  const mayEnrol = useMay("creator");
  const byId = useMemo(() => new Map(vaults.data?.map((vault) => [vault.id, vault])), [vaults.data]);
  const vaultOf = (agent: Agent) => byId.get(agent.vault_id);
  const columns: Column<Agent>[] = [
    {
      header: "Name",
      width: "minmax(110px, 2fr)",
      cell: ({ row: { original } }) => <GoTo to={`/agents/${original.id}`}>{original.name}</GoTo>,
    },
    { header: "State", width: "116px", cell: ({ row }) => <StateBadge state={agentState(row.original)} /> },
    { header: "System", width: "minmax(140px, 1.6fr)", wide: true, cell: ({ row }) => row.original.host.os },
    { header: "Version", width: "80px", wide: true, cell: ({ row }) => row.original.host.agent_version },
    {
      header: "Vault",
      width: "90px",
      wide: true,
      cell: ({ row }) => <VaultBadge sealed={row.original.encrypted} />,
    },
    {
      header: "Snapshots",
      width: "90px",
      right: true,
      wide: true,
      cell: ({ row }) => count(vaultOf(row.original)?.snapshot_count ?? 0),
    },
    {
      header: "Size",
      width: "90px",
      wide: true,
      right: true,
      cell: ({ row }) => bytes(vaultOf(row.original)?.size_bytes ?? 0),
    },
    {
      header: "Heard of",
      width: "110px",
      wide: true,
      cell: ({ row }) => <When at={row.original.last_seen_at} />,
    },
  ];
  const empty = {
    icon: IconShieldCheck,
    title: "No agents yet",
    hint: "An agent is the process on a machine that backs it up. One command on the machine enrols it.",
    action: mayEnrol && <Enrol />,
  };
  return (
    <>
      <PageHeader title="Agents and vaults" about="What backs machines up, and where each one's backups go.">
        {mayEnrol && <Enrol />}
      </PageHeader>
      <div className="panel">
        <DataTable
          label="Agents"
          list={list}
          columns={columns}
          empty={empty}
          rowKey={(one) => String(one.id)}
          href={(one) => `/agents/${one.id}`}
        />
      </div>
      <div style={{ marginTop: 16 }}>
        <OldVaults />
      </div>
    </>
  );
}

function VaultBadge({ sealed }: { sealed: boolean }) {
  return (
    <Badge variant={sealed ? "light" : "default"} size="sm" radius="sm" tt="none">
      {sealed ? "Sealed" : "Managed"}
    </Badge>
  );
}
