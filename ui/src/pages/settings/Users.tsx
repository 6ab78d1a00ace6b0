// Who may sign in, and in which role.
import { Alert, Button, Group, Modal, PasswordInput, Select, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUsers } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { patch, post, remove } from "../../api/call";
import { useList } from "../../api/lists";
import { useMe } from "../../api/me";
import type { Role, User } from "../../api/schema";
import { ConfirmButton } from "../../components/ConfirmButton";
import { type Column, DataTable } from "../../components/DataTable";
import { Section } from "../../components/Section";
import { When } from "../../components/When";

const ROLES = [
  { value: "observer" as const, label: "Observer: reads" },
  { value: "creator" as const, label: "Creator: makes and changes" },
  { value: "admin" as const, label: "Admin: deletes, and manages users" },
];

export function Users() {
  const list = useList("user", "/users");
  const { data: me } = useMe();
  const change = useAction(
    ({ user, role }: { user: User; role: Role }) => patch("/users/{id}", { path: { id: user.id } }, { role }),
    {
      changes: ["user", "session"],
      done: (user) => `${user.username} is ${user.role} from now on.`,
    },
  );
  const forget = useAction((user: User) => remove("/users/{id}", { path: { id: user.id } }), {
    changes: ["user"],
    done: "The user was deleted, with API keys and sessions.",
  });
  const columns: Column<User>[] = [
    { header: "Name", width: "minmax(110px, 1fr)", accessorKey: "username" },
    {
      header: "Role",
      width: "minmax(130px, 1.2fr)",
      cell: ({ row: { original } }) => (
        <Select
          size="xs"
          aria-label={`Role of ${original.username}`}
          allowDeselect={false}
          value={original.role}
          onChange={(role) => role && role !== original.role && change.mutate({ user: original, role })}
          data={ROLES}
        />
      ),
    },
    { header: "Made", width: "110px", wide: true, cell: ({ row }) => <When at={row.original.created_at} /> },
    {
      header: "Delete",
      width: "90px",
      right: true,
      cell: ({ row: { original } }) =>
        original.id !== me?.id && (
          <ConfirmButton
            size="xs"
            variant="subtle"
            title={`Delete ${original.username}?`}
            plan="The user can no longer sign in, and the user's API keys and sessions end."
            confirm="Delete the user"
            onConfirm={() => forget.mutate(original)}
          >
            Delete
          </ConfirmButton>
        ),
    },
  ];
  return (
    <Section title="Users" actions={<AddUser />} flush>
      <DataTable
        label="Users"
        list={list}
        columns={columns}
        empty={{ icon: IconUsers, title: "No users" }}
        rowKey={(one) => String(one.id)}
        rowHeight={48}
      />
    </Section>
  );
}

function AddUser() {
  const [opened, { open, close }] = useDisclosure(false);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("observer");
  const add = useAction(() => post("/users", {}, { username, password, role }), {
    changes: ["user"],
    quiet: true,
    done: `${username} can sign in now.`,
    after: () => {
      close();
      setUsername("");
      setPassword("");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <>
      <Button size="xs" onClick={open}>
        Add a user
      </Button>
      <Modal opened={opened} onClose={close} title="Add a user">
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              label="Name"
              required
              autoComplete="off"
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
              data={ROLES}
            />
            {add.error && (
              <Alert color="red" role="alert">
                {add.error.message}
              </Alert>
            )}
            <Group justify="flex-end">
              <Button type="submit" loading={add.isPending}>
                Add the user
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
