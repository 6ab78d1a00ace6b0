// When vaults are drilled, and how much of each.
import { Group, NumberInput, Text } from "@mantine/core";
import { useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { DrillSettings } from "../../api/schema";
import { Form } from "../../components/Form";
import { Known } from "../../components/Known";
import { Section } from "../../components/Section";

const MIB = 1024 * 1024;

export function Drills() {
  const found = useOne("drill_settings", "/drill-settings");
  return (
    <div style={{ maxWidth: 760 }}>
      <Section title="Restore drills">
        <Text size="sm" c="dimmed" mb="sm">
          A sample of files of the last good backups is restored to scratch and compared with what was backed up. An
          alarm opens when one does not come back, or when there was no good drill for too long.
        </Text>
        <Known of={found} reading="the settings of drills">
          {(settings) => <Settings key={JSON.stringify(settings)} settings={settings} />}
        </Known>
      </Section>
    </div>
  );
}

function Settings({ settings }: { settings: DrillSettings }) {
  const mayChange = useMay("admin");
  const [draft, setDraft] = useState(settings);
  const save = useAction(() => post("/drill-settings", {}, draft), {
    changes: ["drill_settings"],
    quiet: true,
    done: "It is kept.",
    undo: () => post("/drill-settings", {}, settings),
  });
  const number = (label: string, value: number, most: number, set: (value: number) => void, least = 1) => (
    <NumberInput
      label={label}
      min={least}
      max={most}
      disabled={!mayChange}
      value={value}
      onChange={(next) => set(Number(next) || least)}
    />
  );
  const inputs = (
    <Group grow align="flex-end">
      {number("Every so many days, 0 for never", draft.every_days, 365, (every_days) => setDraft({ ...draft, every_days }), 0)}
      {number("Files at the most", draft.files, 1000, (files) => setDraft({ ...draft, files }))}
      {number("MiB at the most", Math.round(draft.bytes / MIB), 1024 * 1024, (size) => setDraft({ ...draft, bytes: size * MIB }))}
    </Group>
  );
  if (!mayChange) return inputs;
  return (
    <Form send="Save" action={save}>
      {inputs}
    </Form>
  );
}
