// Who may sign in, and in which role.
import { PasswordInput, Select, TextInput } from "@mantine/core";
import { IconUsers } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { patch, post, remove } from "../../api/call";
import { useList } from "../../api/lists";
import { useMe } from "../../api/me";
import type { Role, User } from "../../api/schema";
import type { Column } from "../../components/DataTable";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";
import { deleteColumn, ListSection } from "../../components/ListSection";
import { When } from "../../components/When";

const ROLES = [
  { value: "observer" as const, label: "Observer", hint: "reads" },
  { value: "creator" as const, label: "Creator", hint: "makes and changes" },
  { value: "admin" as const, label: "Admin", hint: "deletes, and manages users" },
];

export function Users() {
  const list = useList("user", "/users");
  const { data: me } = useMe();
  const change = useAction(
    ({ user, role }: { user: User; role: Role }) => patch("/users/{id}", { path: { id: user.id } }, { role }),
    {
      changes: ["user", "session"],
      done: (user) => `${user.username} is ${user.role} from now on.`,
      undo: (_, { user }) => patch("/users/{id}", { path: { id: user.id } }, { role: user.role }),
    },
  );
  const forget = useAction((user: User) => remove("/users/{id}", { path: { id: user.id } }), {
    changes: ["user"],
    done: "The user was deleted, with API keys and sessions.",
  });
  const columns: Column<User>[] = [
    { header: "Name", width: "minmax(80px, 1fr)", accessorKey: "username" },
    {
      header: "Role",
      width: "minmax(116px, 1.2fr)",
      cell: ({ row: { original } }) => (
        <Select
          size="xs"
          aria-label={`Role of ${original.username}`}
          allowDeselect={false}
          value={original.role}
          onChange={(role) => role && role !== original.role && change.mutate({ user: original, role })}
          data={ROLES.map(({ value, label }) => ({ value, label }))}
        />
      ),
    },
    { header: "Made", width: "110px", wide: true, cell: ({ row }) => <When at={row.original.created_at} /> },
    deleteColumn({
      name: (user) => user.username,
      plan: "The user can no longer sign in, and the user's API keys and sessions end.",
      confirm: "Delete the user",
      can: (user) => user.id !== me?.id,
      onDelete: forget.mutate,
    }),
  ];
  return (
    <ListSection
      label="Users"
      list={list}
      columns={columns}
      empty={{ icon: IconUsers, title: "No users" }}
      rowKey={(one) => String(one.id)}
      rowHeight={48}
      actions={
        <Dialog label="Add a user" size="xs" title="Add a user">
          {(close) => <NewUser onLeave={close} />}
        </Dialog>
      }
    />
  );
}

function NewUser({ onLeave }: { onLeave: () => void }) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("observer");
  const add = useAction(() => post("/users", {}, { username, password, role }), {
    changes: ["user"],
    quiet: true,
    done: `${username} can sign in now.`,
    after: onLeave,
  });
  return (
    <Form send="Add the user" action={add} onLeave={onLeave}>
      <TextInput
        label="Name"
        required
        autoComplete="off"
        data-autofocus
        value={username}
        onChange={(event) => setUsername(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        description="12 characters or more."
        required
        minLength={12}
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Select
        label="Role"
        allowDeselect={false}
        value={role}
        onChange={(value) => setRole(value ?? "observer")}
        data={ROLES.map(({ value, label, hint }) => ({ value, label: `${label}: ${hint}` }))}
      />
    </Form>
  );
}
