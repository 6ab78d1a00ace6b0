// Ctrl-K: go anywhere by typing, and begin what can be begun. Machines are looked for on the server.
import { Kbd, Modal, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import {
  type Icon,
  IconArchive,
  IconCalendarTime,
  IconCloud,
  IconKey,
  IconRestore,
  IconSearch,
  IconServer2,
  IconShieldCheck,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useState } from "react";
import { useAll, useOne } from "../api/lists";
import { mayDo, useMe } from "../api/me";
import type { Role } from "../api/schema";
import { DOINGS, PLACES } from "./places";

interface Choice {
  to: string;
  title: string;
  kind: string;
  icon: Icon;
}

const MOST = 8;

export function CommandPalette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      withCloseButton={false}
      padding="xs"
      size="lg"
      title="Go to"
      yOffset="12dvh"
    >
      {opened && <Finder onClose={onClose} />}
    </Modal>
  );
}

function Finder({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const choices = useChoices(text);
  const go = (choice?: Choice) => {
    if (!choice) return;
    onClose();
    void navigate({ to: choice.to });
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && choices.length > 0) {
      event.preventDefault();
      setAt((at + step + choices.length) % choices.length);
    }
    if (event.key === "Enter") go(choices[at]);
  };
  return (
    <>
      <TextInput
        data-autofocus
        aria-label="Go to a page, a machine, an agent or whatever has a name"
        placeholder="Go to a page, a machine, an agent or whatever has a name"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        onKeyDown={keys}
        role="combobox"
        aria-expanded
        aria-controls="choices"
        aria-activedescendant={choices[at] ? `choice-${at}` : undefined}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
      />
      <div id="choices" role="listbox" aria-label="Places" style={{ marginTop: 8 }}>
        {choices.map((choice, index) => (
          <UnstyledButton
            key={`${choice.to} ${choice.title}`}
            id={`choice-${index}`}
            role="option"
            aria-selected={index === at}
            className="choice"
            tabIndex={-1}
            onClick={() => go(choice)}
            onMouseEnter={() => setAt(index)}
          >
            <choice.icon size={18} stroke={1.7} aria-hidden />
            <span className="cell">{choice.title}</span>
            <Text size="xs" c="dimmed">
              {choice.kind}
            </Text>
          </UnstyledButton>
        ))}
      </div>
      {choices.length === 0 && (
        <Text c="dimmed" size="sm" p="sm">
          Nothing is called so.
        </Text>
      )}
      <Text c="dimmed" size="xs" mt="xs">
        <Kbd size="xs">↑</Kbd> <Kbd size="xs">↓</Kbd> choose, <Kbd size="xs">Enter</Kbd> goes there
      </Text>
    </>
  );
}

function useChoices(text: string): Choice[] {
  const [search] = useDebouncedValue(text.trim(), 150);
  const wanted = search.toLowerCase();
  const { data: me } = useMe();
  const machines = useOne("machine", "/machines", { query: { search, limit: MOST } }, wanted !== "");
  const backends = useAll("backend", "/backends");
  const agents = useAll("agent", "/agents");
  const configurations = useAll("backup_configuration", "/backup-configurations");
  const keys = useAll("key", "/keys");
  const may = ({ role }: { role?: Role }) => !role || (me ? mayDo(me.role, role) : false);
  const fits = (title: string) => title.toLowerCase().includes(wanted);
  const pages = PLACES.filter((place) => fits(place.title) && may(place));
  const doings = wanted === "" ? [] : DOINGS.filter((doing) => fits(doing.title) && may(doing));
  const named = <T,>(list: T[] | undefined, choice: (thing: T) => Choice) =>
    wanted === ""
      ? []
      : (list ?? [])
          .map(choice)
          .filter(({ title }) => fits(title))
          .slice(0, MOST);
  return [
    ...pages.map((place) => ({ ...place, kind: "Page" })),
    ...doings.map((doing) => ({ ...doing, kind: "Do" })),
    // The server looked for these, also by what is not in their names.
    ...(wanted ? (machines.data?.items ?? []) : []).map((machine) => ({
      to: `/machines/${machine.id}`,
      title: machine.name,
      kind: "Machine",
      icon: IconServer2,
    })),
    ...named(backends.data, ({ id, title }) => ({
      to: `/backends/${id}`,
      title,
      kind: "Backend",
      icon: IconCloud,
    })),
    ...named(agents.data, ({ id, name }) => ({
      to: `/agents/${id}`,
      title: name,
      kind: "Agent",
      icon: IconShieldCheck,
    })),
    ...named(configurations.data, ({ id, name }) => ({
      to: `/configurations/${id}`,
      title: name,
      kind: "Configuration",
      icon: IconCalendarTime,
    })),
    ...named(keys.data, ({ name }) => ({ to: "/keys", title: name, kind: "Key", icon: IconKey })),
    ...numbered(wanted),
  ];
}

/** A number alone may be the id of a run. */
function numbered(wanted: string): Choice[] {
  if (!/^\d{1,15}$/.test(wanted)) return [];
  return [
    { to: `/backups/${wanted}`, title: `Backup ${wanted}`, kind: "Backup", icon: IconArchive },
    { to: `/restores/${wanted}`, title: `Restore ${wanted}`, kind: "Restore", icon: IconRestore },
  ];
}
