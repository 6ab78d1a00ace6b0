// Views of the table by name. The server keeps them, for each user apart.
import { ActionIcon, Button, Group, Menu, TextInput } from "@mantine/core";
import { IconBookmark, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post, remove } from "../../api/call";
import { useAll } from "../../api/lists";
import type { SavedView } from "../../api/schema";
import { Known } from "../../components/Known";
import { type Filters, filtersOf, textOf } from "./filters";

interface Props {
  filters: Filters;
  onChoose: (filters: Filters) => void;
}

const NOUN = "machine";
const NONE: Filters = {
  search: undefined,
  backend: undefined,
  state: undefined,
  tag: undefined,
  protection: undefined,
};

export function SavedViews({ filters, onChoose }: Props) {
  const views = useAll("saved_view", "/saved-views");
  const [name, setName] = useState("");
  const changes = ["saved_view"];
  const keep = useAction(() => post("/saved-views", {}, { name, noun: NOUN, query: textOf(filters) }), {
    changes,
    after: () => setName(""),
  });
  const forget = useAction((view: SavedView) => remove("/saved-views/{id}", { path: { id: view.id } }), {
    changes,
    done: (_, view) => `The view ${view.name} was forgotten.`,
    undo: (_, { name, noun, query }) => post("/saved-views", {}, { name, noun, query }),
  });
  return (
    <Menu position="bottom-end" width={260} closeOnItemClick={false}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconBookmark size={16} />}>
          Views
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onChoose(NONE)}>All machines</Menu.Item>
        <Known of={views} reading="the views" quiet>
          {(all) =>
            all.filter((view) => view.noun === NOUN).map((view) => (
              <Group key={view.id} wrap="nowrap" gap={0}>
                <Menu.Item onClick={() => onChoose({ ...NONE, ...filtersOf(view.query) })}>{view.name}</Menu.Item>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={`Forget the view ${view.name}`}
                  onClick={() => forget.mutate(view)}
                >
                  <IconTrash size={15} />
                </ActionIcon>
              </Group>
            ))
          }
        </Known>
        <Menu.Divider />
        <Menu.Label>Keep what is shown now</Menu.Label>
        <Group wrap="nowrap" gap="xs" p={6}>
          <TextInput
            size="xs"
            aria-label="Name of the view"
            placeholder="Name"
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button size="xs" disabled={!name.trim()} loading={keep.isPending} onClick={() => keep.mutate()}>
            Keep
          </Button>
        </Group>
      </Menu.Dropdown>
    </Menu>
  );
}
