// Views of the table by name. They are kept in this browser, each user's apart.
import { ActionIcon, Button, Group, Menu, TextInput } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconBookmark, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useMe } from "../../api/me";
import type { Filters } from "./filters";

interface View {
  name: string;
  filters: Filters;
}

interface Props {
  filters: Filters;
  onChoose: (filters: Filters) => void;
}

const NONE: Filters = {
  search: undefined,
  backend: undefined,
  state: undefined,
  tag: undefined,
  protection: undefined,
};

export function SavedViews({ filters, onChoose }: Props) {
  const { data: me } = useMe();
  const [views, setViews] = useLocalStorage<View[]>({ key: `roadstead-views-${me?.id}`, defaultValue: [] });
  const [name, setName] = useState("");
  const keep = () => {
    setViews([...views.filter((view) => view.name !== name), { name, filters }]);
    setName("");
  };
  return (
    <Menu position="bottom-end" width={260} closeOnItemClick={false}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconBookmark size={16} />}>
          Views
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onChoose(NONE)}>All machines</Menu.Item>
        {views.map((view) => (
          <Group key={view.name} wrap="nowrap" gap={0}>
            <Menu.Item onClick={() => onChoose({ ...NONE, ...view.filters })}>{view.name}</Menu.Item>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`Forget the view ${view.name}`}
              onClick={() => setViews(views.filter((other) => other.name !== view.name))}
            >
              <IconTrash size={15} />
            </ActionIcon>
          </Group>
        ))}
        <Menu.Divider />
        <Menu.Label>Keep what is shown now</Menu.Label>
        <Group wrap="nowrap" gap="xs" p={6}>
          <TextInput
            size="xs"
            aria-label="Name of the view"
            placeholder="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button size="xs" disabled={!name} onClick={keep}>
            Keep
          </Button>
        </Group>
      </Menu.Dropdown>
    </Menu>
  );
}
