// The editor of a configuration, new or not.
import { Alert, Button, Checkbox, Group, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useAll } from "../../api/lists";
import { useMay } from "../../api/me";
import { Section } from "../../components/Section";
import { BandwidthInputs } from "./BandwidthInputs";
import { type Draft, faultIn, type Options } from "./draft";
import { DumpsInputs } from "./DumpsInputs";
import { HooksInputs } from "./HooksInputs";
import { LinesInput } from "./LinesInput";
import { OptionsInputs } from "./OptionsInputs";
import { PathPicker } from "./PathPicker";
import { RetentionEditor } from "./RetentionEditor";
import { RetentionPreview } from "./RetentionPreview";
import { ScheduleEditor } from "./ScheduleEditor";

interface Props {
  start: Draft;
  /** Of one that exists already: its agent stays, and its backups show what rules would do. */
  id?: number;
  error: Error | null;
  saving: boolean;
  onSave: (draft: Draft) => void;
  onLeave: () => void;
}

export function Editor({ start, id, error, saving, onSave, onLeave }: Props) {
  const [draft, setDraft] = useState(start);
  const [fault, setFault] = useState<string | null>(null);
  const isAdmin = useMay("admin");
  const exists = id !== undefined;
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const changeOptions = (part: Partial<Options>) => change({ options: { ...draft.options, ...part } });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = faultIn(draft);
    setFault(found);
    if (!found) onSave(draft);
  };
  return (
    <form onSubmit={submit} style={{ maxWidth: 760 }}>
      <Section title="What">
        <WhatInputs draft={draft} change={change} exists={exists} />
      </Section>
      <Section title="Databases">
        <DumpsInputs dumps={draft.options.dumps} onChange={(dumps) => changeOptions({ dumps })} />
      </Section>
      <Section title="When">
        <Stack gap="sm">
          <ScheduleEditor schedule={draft.schedule} timezone={draft.timezone} onChange={change} />
          {draft.schedule !== "manual" && <TimingInputs draft={draft} change={change} />}
        </Stack>
      </Section>
      <Section title="How long it is kept">
        <Stack gap="sm">
          <RetentionEditor value={draft.retention} onChange={(retention) => change({ retention })} />
          {id !== undefined && <RetentionPreview id={id} rules={draft.retention} />}
        </Stack>
      </Section>
      <Section title="Whom to tell">
        <NotifyInputs draft={draft} change={change} />
      </Section>
      <Section title="What else it passes over">
        <OptionsInputs options={draft.options} onChange={changeOptions} />
      </Section>
      <Section title="How fast it sends">
        <BandwidthInputs
          limits={draft.options.bandwidth}
          timezone={draft.timezone}
          onChange={(bandwidth) => changeOptions({ bandwidth })}
        />
      </Section>
      {isAdmin && (
        <Section title="Commands around it">
          <HooksInputs hooks={draft.options.hooks} onChange={(hooks) => changeOptions({ hooks })} />
        </Section>
      )}
      {(fault ?? error) && (
        <Alert color="red" role="alert" mb="md">
          {fault ?? error?.message}
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onLeave}>
          Leave it
        </Button>
        <Button type="submit" loading={saving}>
          {exists ? "Save" : "Make it"}
        </Button>
      </Group>
    </form>
  );
}

interface PartProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

function WhatInputs({ draft, change, exists }: PartProps & { exists: boolean }) {
  const agents = useAll("agent", "/agents");
  return (
    <Stack gap="sm">
      <Group grow align="flex-start">
        <TextInput
          label="Name"
          required
          maxLength={200}
          value={draft.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <Select
          label="Agent"
          required
          searchable
          disabled={exists}
          value={draft.agent_id === null ? null : String(draft.agent_id)}
          onChange={(agent) => change({ agent_id: agent === null ? null : Number(agent) })}
          data={agents.data?.map((agent) => ({ value: String(agent.id), label: agent.name })) ?? []}
          nothingFoundMessage="There is no such agent."
          error={agents.error?.message}
        />
      </Group>
      <LinesInput
        label="Files and folders"
        description="Absolute paths, one a line. Folders with everything in them."
        placeholder={"/etc\n/home"}
        required={draft.options.dumps.length === 0}
        value={draft.inclusions}
        onChange={(inclusions) => change({ inclusions })}
      />
      {draft.agent_id !== null && (
        <Group>
          <PathPicker
            agent={draft.agent_id}
            chosen={draft.inclusions}
            onChange={(inclusions) => change({ inclusions })}
          />
        </Group>
      )}
      <LinesInput
        label="Left out"
        description="Patterns as restic takes them, one a line."
        placeholder={"*.tmp\n/home/*/.cache"}
        value={draft.exclusions}
        onChange={(exclusions) => change({ exclusions })}
      />
    </Stack>
  );
}

function TimingInputs({ draft, change }: PartProps) {
  return (
    <Group grow align="flex-start">
      <Select
        label="When a time is missed"
        allowDeselect={false}
        value={draft.missed}
        onChange={(missed) => change({ missed: missed ?? "asap" })}
        data={[
          { value: "asap" as const, label: "Make it up as soon as possible" },
          { value: "next_slot" as const, label: "Wait for the next time" },
        ]}
      />
      <NumberInput
        label="Spread over"
        description="Minutes after the time; each configuration has its own place in them."
        min={0}
        max={1440}
        value={draft.spread_minutes}
        onChange={(minutes) => change({ spread_minutes: Number(minutes) || 0 })}
      />
    </Group>
  );
}

function NotifyInputs({ draft, change }: PartProps) {
  return (
    <Stack gap="sm">
      <TextInput
        label="Mail addresses"
        description="With commas between them."
        placeholder="ann@example.com"
        value={draft.notification_email}
        onChange={(event) => change({ notification_email: event.currentTarget.value })}
      />
      <Group>
        <Checkbox
          label="When a backup fails"
          checked={draft.notify_failure}
          onChange={(event) => change({ notify_failure: event.currentTarget.checked })}
        />
        <Checkbox
          label="When one succeeds"
          checked={draft.notify_success}
          onChange={(event) => change({ notify_success: event.currentTarget.checked })}
        />
      </Group>
    </Stack>
  );
}
