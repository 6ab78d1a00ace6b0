// The SSH keys that machines are logged in to with.
import { Badge, UnstyledButton } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useState } from "react";
import { useList } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Key } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { When } from "../../components/When";
import { AddKey } from "./AddKey";
import { KeyDetails } from "./KeyDetails";
import { KeyMenu } from "./KeyMenu";

export default function Keys() {
  const list = useList("key", "/keys");
  const mayMake = useMay("creator");
  const [shown, setShown] = useState<Key>();
  const columns: Column<Key>[] = [
    {
      header: "Name",
      width: "minmax(120px, 1.2fr)",
      cell: ({ row: { original } }) => (
        <>
          <UnstyledButton className="link" fz="sm" onClick={() => setShown(original)}>
            {original.name}
          </UnstyledButton>{" "}
          {original.default && (
            <Badge size="xs" variant="light">
              Default
            </Badge>
          )}
        </>
      ),
    },
    {
      header: "Kind",
      width: "140px",
      wide: true,
      cell: ({ row }) => `${row.original.type}, ${row.original.bits} bits`,
    },
    {
      header: "Fingerprint",
      width: "minmax(120px, 2fr)",
      wide: true,
      cell: ({ row }) => <span className="mono">{row.original.fingerprint}</span>,
    },
    { header: "Added", width: "110px", cell: ({ row }) => <When at={row.original.created_at} /> },
    {
      id: "actions",
      header: () => <span className="unseen">Actions</span>,
      width: "40px",
      right: true,
      cell: ({ row }) => (
        <KeyMenu item={row.original} onShow={() => setShown(row.original)} />
      ),
    },
  ];
  const empty = {
    icon: IconKey,
    title: "No keys yet",
    hint: "A key lets the server in at machines by SSH. Bring your own, or have one made here.",
    action: mayMake && <AddKey />,
  };
  return (
    <>
      <PageHeader title="Keys" about="SSH keys that machines are logged in to with.">
        {mayMake && <AddKey />}
      </PageHeader>
      <div className="panel">
        <DataTable label="Keys" list={list} columns={columns} empty={empty} rowKey={(one) => one.id} />
      </div>
      <KeyDetails item={shown} onClose={() => setShown(undefined)} />
    </>
  );
}
