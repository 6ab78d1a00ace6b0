// How fast a backup may send, by the time of day.
import { ActionIcon, Button, Group, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { type Limit, limitFault, MOST_LIMITS, newLimit, tellLimit } from "./bandwidth";

const MIB = 1024 * 1024;

interface Props {
  limits: Limit[];
  timezone: string;
  onChange: (limits: Limit[]) => void;
}

export function BandwidthInputs({ limits, timezone, onChange }: Props) {
  const set = (index: number, part: Partial<Limit>) =>
    onChange(limits.map((one, at) => (at === index ? { ...one, ...part } : one)));
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        By the clocks of {timezone}; the first limit that holds counts, and where none does it sends as fast as it can.
        From 22:00 until 06:00 goes over midnight; twice the same time is the whole day. Restores are not limited.
      </Text>
      {limits.map((limit, index) => (
        <LimitInput
          // What stands in a row changes as it is typed; its place does not.
          key={index}
          number={index + 1}
          limit={limit}
          onChange={(part) => set(index, part)}
          onRemove={() => onChange(limits.filter((_, at) => at !== index))}
        />
      ))}
      {limits.length < MOST_LIMITS && (
        <Group>
          <Button
            size="xs"
            variant="light"
            leftSection={<IconPlus size={14} />}
            onClick={() => onChange([...limits, newLimit()])}
          >
            Add a limit
          </Button>
        </Group>
      )}
    </Stack>
  );
}

interface InputProps {
  number: number;
  limit: Limit;
  onChange: (part: Partial<Limit>) => void;
  onRemove: () => void;
}

function LimitInput({ number, limit, onChange, onRemove }: InputProps) {
  const fault = limitFault(limit);
  return (
    <Stack gap={4} role="group" aria-label={`Limit ${number}`}>
      <Group align="flex-end" gap="xs">
        <TextInput
          label="From"
          type="time"
          required
          w={120}
          value={limit.from}
          onChange={(event) => onChange({ from: event.currentTarget.value })}
        />
        <TextInput
          label="Until"
          type="time"
          required
          w={120}
          value={limit.until}
          onChange={(event) => onChange({ until: event.currentTarget.value })}
        />
        <NumberInput
          label="MiB a second"
          required
          w={150}
          min={0}
          decimalScale={3}
          error={fault !== null}
          value={limit.bytes_per_second > 0 ? limit.bytes_per_second / MIB : ""}
          onChange={(rate) => onChange({ bytes_per_second: Math.round((Number(rate) || 0) * MIB) })}
        />
        <ActionIcon
          variant="subtle"
          color="red"
          size="lg"
          aria-label={`Take limit ${number} away`}
          onClick={onRemove}
        >
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
      <Text size="xs" c={fault ? "red" : "dimmed"} role={fault ? "alert" : undefined}>
        {fault ?? `${tellLimit(limit)}.`}
      </Text>
    </Stack>
  );
}
