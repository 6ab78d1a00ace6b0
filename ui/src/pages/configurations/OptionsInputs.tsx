// What a backup passes over whatever its name.
import { Checkbox, Group, NumberInput, Stack } from "@mantine/core";
import { LinesInput } from "./LinesInput";
import type { Options } from "./draft";

const MIB = 1024 * 1024;

interface Props {
  options: Options;
  onChange: (part: Partial<Options>) => void;
}

export function OptionsInputs({ options, onChange }: Props) {
  const larger = options.exclude_larger_than;
  return (
    <Stack gap="sm">
      <LinesInput
        label="Only what matches"
        description="Patterns as restic takes them, one a line; everything where there is none."
        placeholder="*.sql"
        value={options.patterns}
        onChange={(patterns) => onChange({ patterns })}
      />
      <LinesInput
        label="Ignore files"
        description="Names of files that say in each folder what to leave out of it, as git has them."
        placeholder=".gitignore"
        value={options.ignore_files}
        onChange={(ignore_files) => onChange({ ignore_files })}
      />
      <NumberInput
        label="Leave out files larger than"
        description="In MiB; of any size where empty."
        min={1}
        maw={300}
        value={larger ? larger / MIB : ""}
        onChange={(size) =>
          onChange({ exclude_larger_than: Number(size) > 0 ? Math.round(Number(size) * MIB) : null })
        }
      />
      <Group>
        <Checkbox
          label="Stay on the file systems of these folders"
          checked={options.one_file_system}
          onChange={(event) => onChange({ one_file_system: event.currentTarget.checked })}
        />
        <Checkbox
          label="Leave out caches"
          description="Folders with a CACHEDIR.TAG."
          checked={options.exclude_caches}
          onChange={(event) => onChange({ exclude_caches: event.currentTarget.checked })}
        />
      </Group>
    </Stack>
  );
}
