// A machine's tags, and their change.
import { Button, Group, TagsInput, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useMay } from "../../api/me";
import type { Machine } from "../../api/schema";
import { Section } from "../../components/Section";
import { Tags } from "./columns";

export function MachineTags({ machine }: { machine: Machine }) {
  const mayChange = useMay("creator") && machine.can_tag;
  const [tags, setTags] = useState(machine.tags);
  useEffect(() => setTags(machine.tags), [machine.tags]);
  const before = machine.tags;
  const save = useAction(() => post("/machines/{id}/tags", { path: { id: machine.id } }, { set: tags }), {
    changes: ["machine"],
    done: "The tags were changed.",
    undo: () => post("/machines/{id}/tags", { path: { id: machine.id } }, { set: before }),
  });
  const changed = tags.join("\n") !== machine.tags.join("\n");
  if (!mayChange && machine.tags.length === 0) return null;
  return (
    <Section title="Tags">
      {mayChange ? (
        <Group align="flex-start" gap="xs">
          <TagsInput
            aria-label="Tags"
            description="A word, or key=value. Enter adds one."
            value={tags}
            onChange={setTags}
            style={{ flex: 1 }}
          />
          {changed && (
            <Button mt={22} loading={save.isPending} onClick={() => save.mutate()}>
              Save tags
            </Button>
          )}
        </Group>
      ) : (
        <Text component="div">
          <Tags tags={machine.tags} />
        </Text>
      )}
    </Section>
  );
}
