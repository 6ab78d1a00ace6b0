// How long backups are kept.
import { Alert, NumberInput, SimpleGrid } from "@mantine/core";
import type { Retention } from "../../api/schema";

const RULES: [keyof Retention, string][] = [
  ["keep_last", "Newest"],
  ["days", "All of so many days"],
  ["keep_daily", "Days"],
  ["keep_weekly", "Weeks"],
  ["keep_monthly", "Months"],
  ["keep_yearly", "Years"],
];

interface Props {
  value: Retention;
  onChange: (value: Retention) => void;
}

export function RetentionEditor({ value, onChange }: Props) {
  const forEver = RULES.every(([rule]) => !value[rule]);
  return (
    <>
      <SimpleGrid cols={{ base: 2, sm: 3 }} spacing="sm">
        {RULES.map(([rule, label]) => (
          <NumberInput
            key={rule}
            label={label}
            min={1}
            max={10000}
            allowDecimal={false}
            placeholder="–"
            value={value[rule] ?? ""}
            onChange={(number) => onChange({ ...value, [rule]: typeof number === "number" ? number : null })}
          />
        ))}
      </SimpleGrid>
      <Alert color="gray" variant="light" mt="sm">
        {forEver
          ? "No rule: every backup is kept for ever."
          : "A backup goes when no rule keeps it: of each day, week, month or year the last is kept, for so many of them. Nothing goes in its first seven days."}
      </Alert>
    </>
  );
}
