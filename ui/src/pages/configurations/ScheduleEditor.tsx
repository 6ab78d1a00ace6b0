// When a configuration runs by itself; with the next five times, as the server reckons them.
import { Alert, Group, List, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useOne } from "../../api/lists";
import { When } from "../../components/When";
import { zones } from "../../format/zones";
import { DAYS, formatSchedule, parseSchedule, type ScheduleKind, type ScheduleParts } from "./schedule";

interface Props {
  schedule: string;
  timezone: string;
  onChange: (change: { schedule?: string; timezone?: string }) => void;
}

const KINDS: { value: ScheduleKind; label: string }[] = [
  { value: "manual", label: "When somebody starts it" },
  { value: "hourly", label: "Every few hours" },
  { value: "daily", label: "Every day" },
  { value: "weekly", label: "Every week" },
  { value: "cron", label: "As a cron expression says" },
];

export function ScheduleEditor({ schedule, timezone, onChange }: Props) {
  const parts = parseSchedule(schedule);
  const change = (part: Partial<ScheduleParts>) =>
    onChange({ schedule: formatSchedule({ ...parts, ...part }) });
  return (
    <Stack gap="sm">
      <Group grow align="flex-start">
        <Select
          label="Runs"
          allowDeselect={false}
          value={parts.kind}
          onChange={(kind) => change({ kind: (kind ?? "manual") as ScheduleKind })}
          data={KINDS}
        />
        {parts.kind === "hourly" && (
          <NumberInput
            label="Hours between"
            min={1}
            max={168}
            value={parts.hours}
            onChange={(hours) => change({ hours: Number(hours) || 1 })}
          />
        )}
        {parts.kind === "weekly" && (
          <Select
            label="On"
            allowDeselect={false}
            value={parts.day}
            onChange={(day) => change({ day: day ?? parts.day })}
            data={DAYS.map((day) => ({ value: day, label: day.charAt(0).toUpperCase() + day.slice(1) }))}
          />
        )}
        {(parts.kind === "daily" || parts.kind === "weekly") && (
          <TextInput
            label="At"
            type="time"
            value={parts.time}
            onChange={(event) => change({ time: event.currentTarget.value })}
          />
        )}
        {parts.kind === "cron" && (
          <TextInput
            label="Expression"
            description="Minute, hour, day of the month, month, day of the week."
            value={parts.expression}
            onChange={(event) => change({ expression: event.currentTarget.value })}
          />
        )}
      </Group>
      {parts.kind !== "manual" && (
        <>
          <Select
            label="Time zone"
            searchable
            limit={100}
            allowDeselect={false}
            value={timezone}
            onChange={(zone) => onChange({ timezone: zone ?? "UTC" })}
            data={zones(timezone)}
          />
          <NextTimes schedule={schedule} timezone={timezone} />
        </>
      )}
    </Stack>
  );
}

function NextTimes({ schedule, timezone }: { schedule: string; timezone: string }) {
  const [asked] = useDebouncedValue({ schedule, timezone }, 300);
  const found = useOne("schedule", "/schedules/preview", { query: asked });
  if (found.error) return <Alert color="red">{found.error.message}</Alert>;
  return (
    <div>
      <Text size="sm" fw={600}>
        The next five times
      </Text>
      <List size="sm" aria-label="The next five times">
        {found.data?.times.map((at) => (
          <List.Item key={at}>
            <When at={at} absolute /> (<When at={at} />)
          </List.Item>
        ))}
      </List>
    </div>
  );
}
