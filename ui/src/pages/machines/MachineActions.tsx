// What one machine can take now. What it cannot, and what the role may not, is not offered.
import { Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconTerminal2 } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Machine } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { ConfirmButton } from "../../components/ConfirmButton";
import { ACTIONS, type MachineAction } from "./actions";

export function MachineActions({ machine }: { machine: Machine }) {
  const mayChange = useMay("creator");
  const mayDestroy = useMay("admin");
  const mine = ACTIONS.filter(
    (action) => action.can(machine) && (action.role === "admin" ? mayDestroy : mayChange),
  );
  return (
    <>
      {mine.map((action) => (
        <ActionButton key={action.verb} machine={machine} action={action} />
      ))}
      {mayDestroy && machine.state === "running" && (
        <ButtonLink to={`/machines/${machine.id}/shell`} variant="default" leftSection={<IconTerminal2 size={16} />}>
          Shell
        </ButtonLink>
      )}
      {mayChange && machine.can_rename && <Rename machine={machine} />}
      {mayChange && machine.can_resize && <Resize machine={machine} />}
    </>
  );
}

function ActionButton({ machine, action }: { machine: Machine; action: MachineAction }) {
  const act = useAction(() => action.act(machine), {
    changes: ["machine"],
    done: `${machine.name}: the backend has taken the order.`,
  });
  if (action.verb === "Start") {
    return (
      <Button loading={act.isPending} onClick={() => act.mutate()}>
        Start
      </Button>
    );
  }
  return (
    <ConfirmButton
      title={`${action.verb} ${machine.name}?`}
      plan={
        action.final
          ? "It is destroyed for ever, with what is on its disks. Its backups stay."
          : `It ${action.effect}.`
      }
      typed={action.final ? machine.name : undefined}
      confirm={action.verb}
      onConfirm={() => act.mutate()}
      loading={act.isPending}
      {...(action.final ? { className: "danger" } : {})}
    >
      {action.verb}
    </ConfirmButton>
  );
}

function Rename({ machine }: { machine: Machine }) {
  const [opened, { open, close }] = useDisclosure(false);
  const [name, setName] = useState(machine.name);
  const act = useAction(() => post("/machines/{id}/rename", { path: { id: machine.id } }, { name }), {
    changes: ["machine"],
    done: `It is called ${name} now.`,
    after: close,
  });
  return (
    <>
      <Button variant="default" onClick={open}>
        Rename
      </Button>
      <Modal opened={opened} onClose={close} title={`Rename ${machine.name}`}>
        <Stack>
          <TextInput
            label="New name"
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Group justify="flex-end">
            <Button loading={act.isPending} onClick={() => act.mutate()}>
              Rename
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function Resize({ machine }: { machine: Machine }) {
  const [opened, { open, close }] = useDisclosure(false);
  const [size, setSize] = useState<string | null>(machine.size ?? null);
  const sizes = useOne("offer", "/backends/{id}/sizes", { path: { id: machine.backend_id } }, opened);
  const act = useAction(
    () => post("/machines/{id}/resize", { path: { id: machine.id } }, { size: size ?? "" }),
    {
      changes: ["machine"],
      done: "The backend has taken the order.",
      after: close,
    },
  );
  return (
    <>
      <Button variant="default" onClick={open}>
        Resize
      </Button>
      <Modal opened={opened} onClose={close} title={`Resize ${machine.name}`}>
        <Stack>
          <Select
            label="New size"
            description="Many clouds want the machine stopped for it, or restart it."
            searchable
            value={size}
            onChange={setSize}
            data={sizes.data?.items.map((one) => ({ value: one.id, label: one.name })) ?? []}
          />
          <Group justify="flex-end">
            <Button
              disabled={!size || size === machine.size}
              loading={act.isPending}
              onClick={() => act.mutate()}
            >
              Resize
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
