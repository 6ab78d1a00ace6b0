// Finds files by name in all backups of a vault, newest backup first.
import { ActionIcon, Button, Checkbox, Group, TextInput, Tooltip } from "@mantine/core";
import { IconDownload, IconFileSearch } from "@tabler/icons-react";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type FormEvent, useMemo, useState } from "react";
import { urlOf } from "../../api/call";
import { useAll, useList, useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import { useAgentNames } from "../../api/names";
import type { FoundFile } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { FilePath } from "../../components/FilePath";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { When } from "../../components/When";
import { bytes, plural } from "../../format/bytes";

interface Wanted {
  pattern?: string;
  ignore_case?: boolean;
}

export default function FindFiles() {
  const { id } = useParams({ strict: false }) as { id: string };
  const wanted = useSearch({ strict: false }) as Wanted;
  const vault = useOne("vault", "/vaults/{id}", { path: { id } });
  const agent = useAgentNames();
  const whose = vault.data ? agent(vault.data.agent_id) : "";
  const about = vault.data && (
    <>
      In {plural(vault.data.snapshot_count, "backup")} of{" "}
      <GoTo to={`/agents/${vault.data.agent_id}`}>{whose}</GoTo>
    </>
  );
  return (
    <>
      <PageHeader title="Find files" about={about} />
      <FindForm key={wanted.pattern} wanted={wanted} id={id} />
      {wanted.pattern && <Found id={id} wanted={wanted} />}
    </>
  );
}

function FindForm({ id, wanted }: { id: string; wanted: Wanted }) {
  const navigate = useNavigate();
  const [pattern, setPattern] = useState(String(wanted.pattern ?? ""));
  const [ignoreCase, setIgnoreCase] = useState(wanted.ignore_case ?? true);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void navigate({ to: `/find/${id}` as "/", search: { pattern, ignore_case: ignoreCase } as never });
  };
  return (
    <form onSubmit={submit}>
      <Group mb="sm" align="flex-end">
        <TextInput
          type="search"
          label="Name or path"
          description="With * for any letters, such as *.conf or /etc/**/hosts."
          required
          style={{ flex: "1 1 260px", maxWidth: 460 }}
          value={pattern}
          onChange={(event) => setPattern(event.currentTarget.value)}
        />
        <Checkbox
          label="Either case"
          mb={8}
          checked={ignoreCase}
          onChange={(event) => setIgnoreCase(event.currentTarget.checked)}
        />
        <Button type="submit">Find</Button>
      </Group>
    </form>
  );
}

function Found({ id, wanted }: { id: string; wanted: Wanted }) {
  const query = { pattern: String(wanted.pattern), ignore_case: wanted.ignore_case };
  const list = useList("file", "/vaults/{id}/files", { path: { id }, query });
  const mayRead = useMay("creator");
  const backups = useAll("backup", "/backups", { restorable: true });
  const names = useMemo(() => new Map(backups.data?.map((one) => [one.id, one.name])), [backups.data]);
  const columns: Column<FoundFile>[] = [
    {
      header: "Path",
      width: "minmax(140px, 3fr)",
      cell: ({ row }) => <FilePath path={row.original.path} />,
    },
    {
      header: "Backup",
      width: "minmax(90px, 1fr)",
      cell: ({ row: { original } }) => (
        <GoTo to={`/backups/${original.backup_id}/files?open=${encodeURIComponent(original.path)}`}>
          {names.get(original.backup_id) ?? `backup ${original.backup_id}`}
        </GoTo>
      ),
    },
    {
      header: "Size",
      width: "86px",
      right: true,
      wide: true,
      cell: ({ row: { original } }) => (original.file.type === "file" ? bytes(original.file.size_bytes) : ""),
    },
    {
      header: "Changed",
      width: "160px",
      wide: true,
      cell: ({ row }) => <When at={row.original.file.modified_at} absolute />,
    },
    {
      header: "Get",
      width: "44px",
      cell: ({ row: { original } }) =>
        mayRead && original.file.type === "file" ? (
          <Tooltip label="Download">
            <ActionIcon
              component="a"
              href={urlOf("/backups/{id}/content", {
                path: { id: original.backup_id },
                query: { path: original.path },
              })}
              download
              variant="subtle"
              aria-label={`Download ${original.path}`}
            >
              <IconDownload size={16} />
            </ActionIcon>
          </Tooltip>
        ) : null,
    },
  ];
  return (
    <div className="panel">
      <DataTable
        label="Found files"
        list={list}
        columns={columns}
        empty={{
          icon: IconFileSearch,
          title: "No file matches",
          hint: "A name alone matches in every folder.",
        }}
        rowKey={(one) => `${one.backup_id} ${one.path}`}
      />
    </div>
  );
}
