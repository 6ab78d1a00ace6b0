// What one machine can take now. What it cannot, and what the role may not, is not offered.
import { Button, Select, TextInput } from "@mantine/core";
import { IconTerminal2 } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { Machine } from "../../api/schema";
import { ButtonLink } from "../../components/ButtonLink";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Dialog } from "../../components/Dialog";
import { Form } from "../../components/Form";
import { Known } from "../../components/Known";
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
  return (
    <Dialog label="Rename" variant="default" title={`Rename ${machine.name}`}>
      {(close) => <RenameForm machine={machine} onDone={close} />}
    </Dialog>
  );
}

function RenameForm({ machine, onDone }: { machine: Machine; onDone: () => void }) {
  const where = { path: { id: machine.id } };
  const [name, setName] = useState(machine.name);
  const act = useAction(() => post("/machines/{id}/rename", where, { name }), {
    changes: ["machine"],
    quiet: true,
    done: `It is called ${name} now.`,
    undo: () => post("/machines/{id}/rename", where, { name: machine.name }),
    after: onDone,
  });
  return (
    <Form send="Rename it" action={act} onLeave={onDone} disabled={name === machine.name}>
      <TextInput
        label="New name"
        required
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </Form>
  );
}

function Resize({ machine }: { machine: Machine }) {
  return (
    <Dialog label="Resize" variant="default" title={`Resize ${machine.name}`}>
      {(close) => <ResizeForm machine={machine} onDone={close} />}
    </Dialog>
  );
}

function ResizeForm({ machine, onDone }: { machine: Machine; onDone: () => void }) {
  const [size, setSize] = useState<string | null>(machine.size ?? null);
  const sizes = useOne("offer", "/backends/{id}/sizes", { path: { id: machine.backend_id } });
  const act = useAction(
    () => post("/machines/{id}/resize", { path: { id: machine.id } }, { size: size ?? "" }),
    { changes: ["machine"], quiet: true, done: "The backend has taken the order.", after: onDone },
  );
  return (
    <Form send="Resize it" action={act} onLeave={onDone} disabled={!size || size === machine.size}>
      <Known of={sizes} reading="the sizes">
        {({ items }) => (
          <Select
            label="New size"
            description="Many clouds want the machine stopped for it, or restart it."
            searchable
            value={size}
            onChange={setSize}
            data={items.map((one) => ({ value: one.id, label: one.name }))}
          />
        )}
      </Known>
    </Form>
  );
}
