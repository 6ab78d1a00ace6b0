// What differs between a backup and a later one of the same vault.
import { Alert, Badge, Select } from "@mantine/core";
import { IconEqual } from "@tabler/icons-react";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useAll, useList, useOne } from "../../api/lists";
import type { Backup, FileChange, FileDifference } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { Failure } from "../../components/Failure";
import { FilePath } from "../../components/FilePath";
import { GoTo } from "../../components/GoTo";
import { PageHeader } from "../../components/PageHeader";
import { bytes, plural } from "../../format/bytes";
import { short } from "../../format/time";

const WORDS: Record<FileDifference, { word: string; colour: string }> = {
  added: { word: "Added", colour: "green" },
  removed: { word: "Removed", colour: "red" },
  content: { word: "Content", colour: "blue" },
  metadata: { word: "Owner, mode or times", colour: "gray" },
  type: { word: "Something else now", colour: "orange" },
};
const COLUMNS: Column<FileChange>[] = [
  {
    header: "How",
    width: "minmax(90px, 150px)",
    cell: ({ row }) => <Difference of={row.original.difference} />,
  },
  {
    header: "Path",
    width: "minmax(140px, 3fr)",
    cell: ({ row }) => <FilePath path={row.original.path} />,
  },
  { header: "Before", width: "90px", right: true, wide: true, cell: ({ row }) => size(row.original.before) },
  { header: "After", width: "90px", right: true, wide: true, cell: ({ row }) => size(row.original.after) },
];

export default function CompareBackups() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { with: other } = useSearch({ strict: false }) as { with?: number };
  const navigate = useNavigate();
  const found = useOne("backup", "/backups/{id}", { path: { id } });
  const backup = found.data;
  const later = useLater(backup);
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  const about = backup && (
    <>
      From <GoTo to={`/backups/${id}`}>{backup.name}</GoTo>, {short(backup.created_at)}, to a later one
    </>
  );
  return (
    <>
      <PageHeader title="Compare backups" about={about} />
      <Select
        label="With"
        searchable
        maw={460}
        mb="sm"
        value={other ? String(other) : null}
        onChange={(value) =>
          void navigate({ to: `/backups/${id}/compare` as "/", search: { with: Number(value) } as never })
        }
        data={later.map((one) => ({ value: String(one.id), label: `${one.name}, ${short(one.created_at)}` }))}
        nothingFoundMessage="There is no later backup of this vault."
      />
      {other ? <Differences id={id} other={other} /> : <Hint count={later.length} />}
    </>
  );
}

/** The later backups of the same agent that can be looked into; the server knows whether the vault is the same. */
function useLater(backup?: Backup): Backup[] {
  const query = { agent_id: backup?.agent_id, restorable: true };
  const found = useAll("backup", "/backups", query, backup !== undefined);
  return found.data?.filter((one) => backup && one.created_at > backup.created_at) ?? [];
}

function Hint({ count }: { count: number }) {
  return (
    <Alert color="gray">
      {count === 0
        ? "There is no later backup of this agent to compare with."
        : `${plural(count, "later backup")} can be compared with it.`}
    </Alert>
  );
}

function Differences({ id, other }: { id: string; other: number }) {
  const list = useList("file", "/backups/{id}/diff", { path: { id }, query: { with: other } });
  return (
    <div className="panel">
      <DataTable
        label="Differences"
        list={list}
        columns={COLUMNS}
        empty={{ icon: IconEqual, title: "Nothing differs" }}
        rowKey={(one) => one.path}
      />
    </div>
  );
}

function Difference({ of }: { of: FileDifference }) {
  const { word, colour } = WORDS[of];
  return (
    <Badge className="state" variant="light" color={colour} size="sm" radius="sm" tt="none">
      {word}
    </Badge>
  );
}

function size(file?: FileChange["before"]): string {
  return file && file.type === "file" ? bytes(file.size_bytes) : "–";
}
