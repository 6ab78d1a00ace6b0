// All backends.
import { Group } from "@mantine/core";
import { IconCloud, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useAll, useList } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Backend } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { type Column, DataTable } from "../../components/DataTable";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { SearchBox } from "../../components/SearchBox";
import { StateBadge } from "../../components/StateBadge";
import { When } from "../../components/When";
import { count } from "../../format/bytes";

export default function Backends() {
  const [search, setSearch] = useState("");
  const list = useList("backend", "/backends", { query: { search } });
  const providers = useAll("provider", "/providers");
  const mayAdd = useMay("creator");
  const title = (id: string) => providers.data?.find((provider) => provider.id === id)?.title ?? id;
  const columns: Column<Backend>[] = [
    {
      header: "Name",
      width: "minmax(140px, 2fr)",
      cell: ({ row }) => <GoTo to={`/backends/${row.original.id}`}>{row.original.title}</GoTo>,
    },
    {
      header: "State",
      width: "100px",
      cell: ({ row }) => <StateBadge state={row.original.enabled ? row.original.state : "disabled"} />,
    },
    {
      header: "Provider",
      width: "minmax(120px, 1.3fr)",
      wide: true,
      cell: ({ row }) => title(row.original.provider),
    },
    { header: "Region", width: "120px", wide: true, cell: ({ row }) => row.original.region ?? "–" },
    { header: "Machines", width: "90px", right: true, cell: ({ row }) => count(row.original.machine_count) },
    {
      header: "Refreshed",
      width: "130px",
      wide: true,
      cell: ({ row }) => <When at={row.original.refreshed_at} />,
    },
  ];
  const add = mayAdd && (
    <ButtonLink to="/backends/add" leftSection={<IconPlus size={16} />}>
      Add a backend
    </ButtonLink>
  );
  const empty = search
    ? {
        icon: IconCloud,
        title: "No backend matches",
        hint: `Nothing has “${search}” in its name, provider or id.`,
      }
    : {
        icon: IconCloud,
        title: "No backends yet",
        hint: "A backend is a cloud, a Docker host, a hypervisor or a single server. Its machines are listed once it is added.",
        action: add,
      };
  return (
    <>
      <PageHeader
        title="Backends"
        about="Clouds, hosts and single servers whose machines are listed and driven here."
      >
        {add}
      </PageHeader>
      <Group mb="sm">
        <SearchBox label="Search backends" value={search} onChange={setSearch} />
      </Group>
      <div className="panel">
        <DataTable
          label="Backends"
          list={list}
          columns={columns}
          empty={empty}
          rowKey={(one) => one.id}
          href={(one) => `/backends/${one.id}`}
        />
      </div>
    </>
  );
}
