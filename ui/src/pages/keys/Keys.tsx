// The SSH keys that machines are logged in to with.
import { ActionIcon, Badge, Menu } from "@mantine/core";
import { IconDots, IconKey } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useList } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Key } from "../../api/schema";
import { type Column, DataTable } from "../../components/DataTable";
import { PageHeader } from "../../components/PageHeader";
import { When } from "../../components/When";
import { AddKey } from "./AddKey";
import { KeyDetails } from "./KeyDetails";

export default function Keys() {
  const list = useList("key", "/keys");
  const mayMake = useMay("creator");
  const mayDelete = useMay("admin");
  const [shown, setShown] = useState<Key>();
  const columns: Column<Key>[] = [
    {
      header: "Name",
      width: "minmax(120px, 1.2fr)",
      cell: ({ row: { original } }) => (
        <>
          {original.name}{" "}
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
      width: "110px",
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
      header: "Actions",
      width: "70px",
      right: true,
      cell: ({ row }) => (
        <KeyMenu
          item={row.original}
          mayMake={mayMake}
          mayDelete={mayDelete}
          onShow={() => setShown(row.original)}
        />
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

interface MenuProps {
  item: Key;
  mayMake: boolean;
  mayDelete: boolean;
  onShow: () => void;
}

function KeyMenu({ item, mayMake, mayDelete, onShow }: MenuProps) {
  const where = { path: { id: item.id } };
  const prefer = useAction(() => post("/keys/{id}/default", where), {
    changes: ["key"],
    done: `${item.name} is the default.`,
  });
  const forget = useAction(() => remove("/keys/{id}", where), {
    changes: ["key"],
    done: `${item.name} was deleted here. Machines that let it in still do.`,
  });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${item.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={onShow}>Show</Menu.Item>
        {mayMake && !item.default && (
          <Menu.Item onClick={() => prefer.mutate()}>Make it the default</Menu.Item>
        )}
        {mayDelete && (
          <Menu.Item color="red" onClick={() => forget.mutate()}>
            Delete
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
