// What can be done with a key: shown, preferred, renamed, read and deleted.
import { ActionIcon, Menu, Modal, Text, TextInput } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useAction } from "../../api/action";
import { patch, post, remove } from "../../api/call";
import { useMay } from "../../api/me";
import type { Key } from "../../api/schema";
import { Form } from "../../components/Form";
import { PrivateKey } from "./PrivateKey";

type Asked = "rename" | "private" | "delete";

export function KeyMenu({ item, onShow }: { item: Key; onShow: () => void }) {
  const mayMake = useMay("creator");
  const mayDelete = useMay("admin");
  const [asked, setAsked] = useState<Asked>();
  const leave = () => setAsked(undefined);
  const prefer = useAction(() => post("/keys/{id}/default", { path: { id: item.id } }), {
    changes: ["key"],
    done: `${item.name} is the default.`,
  });
  const windows: Record<Asked, [string, ReactNode]> = {
    rename: [`Rename ${item.name}`, <Rename key="r" item={item} onLeave={leave} />],
    private: [`The private half of ${item.name}`, <PrivateKey key="p" item={item} onLeave={leave} />],
    delete: [`Delete ${item.name}?`, <Deletion key="d" item={item} onLeave={leave} />],
  };
  const [title, content] = asked ? windows[asked] : [];
  return (
    <>
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
          {mayMake && <Menu.Item onClick={() => setAsked("rename")}>Rename</Menu.Item>}
          {mayDelete && <Menu.Item onClick={() => setAsked("private")}>Show the private half</Menu.Item>}
          {mayDelete && (
            <Menu.Item className="danger" onClick={() => setAsked("delete")}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={asked !== undefined} onClose={leave} title={title} size="lg">
        {content}
      </Modal>
    </>
  );
}

interface WindowProps {
  item: Key;
  onLeave: () => void;
}

function Rename({ item, onLeave }: WindowProps) {
  const where = { path: { id: item.id } };
  const [name, setName] = useState(item.name);
  const rename = useAction(() => patch("/keys/{id}", where, { name }), {
    changes: ["key"],
    quiet: true,
    done: `It is called ${name} now.`,
    undo: () => patch("/keys/{id}", where, { name: item.name }),
    after: onLeave,
  });
  return (
    <Form send="Rename it" action={rename} onLeave={onLeave} disabled={name === item.name}>
      <TextInput
        label="New name"
        required
        maxLength={200}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </Form>
  );
}

function Deletion({ item, onLeave }: WindowProps) {
  const forget = useAction(() => remove("/keys/{id}", { path: { id: item.id } }), {
    changes: ["key"],
    quiet: true,
    done: `${item.name} was deleted here. Machines that let it in still do.`,
    after: onLeave,
  });
  return (
    <Form send="Delete the key" action={forget} onLeave={onLeave}>
      <Text size="sm">
        The server forgets it for ever, and logs in nowhere with it any more. Machines go on to let it in: take it off
        them first, on their own pages.
      </Text>
    </Form>
  );
}
