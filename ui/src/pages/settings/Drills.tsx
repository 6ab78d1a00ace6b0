// When vaults are drilled, and how much of each.
import { Alert, Button, Group, Loader, NumberInput, Stack, Text } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useAction } from "../../api/action";
import { post } from "../../api/call";
import { useOne } from "../../api/lists";
import { useMay } from "../../api/me";
import type { DrillSettings } from "../../api/schema";
import { Failure } from "../../components/Failure";
import { Section } from "../../components/Section";

const MIB = 1024 * 1024;

export function Drills() {
  const found = useOne("drill_settings", "/drill-settings");
  if (found.error) return <Failure error={found.error} retry={() => void found.refetch()} />;
  return (
    <div style={{ maxWidth: 760 }}>
      <Section title="Restore drills">
        <Text size="sm" c="dimmed" mb="sm">
          A sample of files of the last good backups is restored to scratch and compared with what was backed up. An
          alarm opens when one does not come back, or when there was no good drill for too long.
        </Text>
        {found.data ? <Form settings={found.data} /> : <Loader aria-label="Reading the settings of drills" />}
      </Section>
    </div>
  );
}

function Form({ settings }: { settings: DrillSettings }) {
  const mayChange = useMay("admin");
  const [draft, setDraft] = useState(settings);
  const save = useAction(() => post("/drill-settings", {}, draft), {
    changes: ["drill_settings"],
    quiet: true,
    done: "It is kept.",
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Group grow align="flex-end">
          {number("Every so many days, 0 for never", draft.every_days, 365, (every_days) => setDraft({ ...draft, every_days }), 0)}
          {number("Files at the most", draft.files, 1000, (files) => setDraft({ ...draft, files }))}
          {number("MiB at the most", Math.round(draft.bytes / MIB), 1024 * 1024, (size) => setDraft({ ...draft, bytes: size * MIB }))}
        </Group>
        {save.error && (
          <Alert color="red" role="alert">
            {save.error.message}
          </Alert>
        )}
        {mayChange && (
          <Group justify="flex-end">
            <Button type="submit" loading={save.isPending}>
              Save
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
