// Databases, and what commands print, that a backup holds beside its files.
import { ActionIcon, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useMay } from "../../api/me";
import { type Dump, type DumpKind, faultOf, KINDS, MOST_DUMPS, newDump, pathOf } from "./dumps";

const MONO = { input: { fontFamily: "var(--mantine-font-family-monospace)" } };

interface Props {
  dumps: Dump[];
  onChange: (dumps: Dump[]) => void;
}

export function DumpsInputs({ dumps, onChange }: Props) {
  const isAdmin = useMay("admin");
  const set = (index: number, dump: Dump) => onChange(dumps.map((one, at) => (at === index ? dump : one)));
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        The agent has <code className="mono">pg_dump</code>, <code className="mono">mysqldump</code> or SQLite dump them
        straight into the backup, where they are files to browse and restore. How it signs in to its databases stands in{" "}
        <code className="mono">policy.toml</code> in the agent's folder, which also has to allow each command, letter by
        letter. A dump that fails is an error of the backup, which goes on.
      </Text>
      {dumps.map((dump, index) => (
        <DumpInput
          // What stands in a row changes as it is typed; its place does not.
          key={index}
          number={index + 1}
          dump={dump}
          fault={faultOf(dumps, index)}
          // Commands run as the agent does: nobody else changes them.
          fixed={dump.kind === "command" && !isAdmin}
          kinds={KINDS.filter(({ value }) => isAdmin || value !== "command" || dump.kind === "command")}
          onChange={(next) => set(index, next)}
          onRemove={() => onChange(dumps.filter((_, at) => at !== index))}
        />
      ))}
      {dumps.length < MOST_DUMPS && (
        <Group>
          <Button
            size="xs"
            variant="light"
            leftSection={<IconPlus size={14} />}
            onClick={() => onChange([...dumps, newDump("postgresql")])}
          >
            Add a database
          </Button>
        </Group>
      )}
    </Stack>
  );
}

interface InputProps {
  number: number;
  dump: Dump;
  fault: string | null;
  fixed: boolean;
  kinds: typeof KINDS;
  onChange: (dump: Dump) => void;
  onRemove: () => void;
}

function DumpInput({ number, dump, fault, fixed, kinds, onChange, onRemove }: InputProps) {
  return (
    <Stack gap={4} role="group" aria-label={`Dump ${number}`}>
      <Group align="flex-end" gap="xs">
        <Select
          label="Kind"
          w={200}
          allowDeselect={false}
          disabled={fixed}
          value={dump.kind}
          onChange={(kind) => kind !== dump.kind && onChange(newDump((kind ?? dump.kind) as DumpKind))}
          data={kinds}
        />
        <DumpFields dump={dump} fault={fault} fixed={fixed} onChange={onChange} />
        <ActionIcon
          variant="subtle"
          color="red"
          size="lg"
          disabled={fixed}
          aria-label={`Take dump ${number} away`}
          onClick={onRemove}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
      <Text size="xs" c={fault ? "red" : "dimmed"} role={fault ? "alert" : undefined}>
        {fault ?? (
          <>
            In the backup it is <span className="mono">{pathOf(dump)}</span>.
          </>
        )}
      </Text>
    </Stack>
  );
}

function DumpFields({ dump, fault, fixed, onChange }: Pick<InputProps, "dump" | "fault" | "fixed" | "onChange">) {
  const same = {
    error: fault !== null,
    disabled: fixed,
    spellCheck: false,
    autoComplete: "off",
    styles: MONO,
    style: { flex: "1 1 160px" },
  };
  switch (dump.kind) {
    case "sqlite":
      return (
        <TextInput
          {...same}
          label="File of the database"
          placeholder="/srv/app.db"
          required
          maxLength={4096}
          value={dump.path}
          onChange={(event) => onChange({ ...dump, path: event.currentTarget.value })}
        />
      );
    case "command":
      return (
        <>
          <TextInput
            {...same}
            label="Name of its file"
            placeholder="packages"
            required
            maxLength={200}
            value={dump.name}
            onChange={(event) => onChange({ ...dump, name: event.currentTarget.value })}
          />
          <TextInput
            {...same}
            error={false}
            label="Command"
            placeholder="dpkg -l"
            required
            pattern=".*\S.*"
            maxLength={4096}
            value={dump.command}
            onChange={(event) => onChange({ ...dump, command: event.currentTarget.value })}
          />
        </>
      );
    default:
      return (
        <TextInput
          {...same}
          label="Database"
          placeholder={dump.kind === "postgresql" ? "All, and the roles" : "All"}
          maxLength={200}
          value={dump.database ?? ""}
          onChange={(event) => onChange({ ...dump, database: event.currentTarget.value || null })}
        />
      );
  }
}
