// The commands that run before and after. Only admins set them, and the machine's own policy has the last word.
import { Checkbox, Group, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import type { Hook } from "../../api/schema";
import type { Options } from "./draft";

type Hooks = Options["hooks"];

const KINDS: { kind: "pre" | "post" | "error"; label: string }[] = [
  { kind: "pre", label: "Before it" },
  { kind: "post", label: "After it went well" },
  { kind: "error", label: "After it failed" },
];
const USUAL_SECONDS = 600;

export function HooksInputs({ hooks, onChange }: { hooks: Hooks; onChange: (hooks: Hooks) => void }) {
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        Each is run by the shell of the agent's machine, if <code className="mono">policy.toml</code> in the agent's
        folder allows it, letter by letter.
      </Text>
      {KINDS.map(({ kind, label }) => (
        <HookInput
          key={kind}
          label={label}
          hook={hooks[kind] ?? null}
          onChange={(hook) => onChange({ ...hooks, [kind]: hook })}
        />
      ))}
      {hooks.pre && (
        <Checkbox
          label="Make no backup when the command before it fails"
          checked={hooks.cancel_when_pre_fails}
          onChange={(event) => onChange({ ...hooks, cancel_when_pre_fails: event.currentTarget.checked })}
        />
      )}
    </Stack>
  );
}

interface InputProps {
  label: string;
  hook: Hook | null;
  onChange: (hook: Hook | null) => void;
}

function HookInput({ label, hook, onChange }: InputProps) {
  const seconds = hook?.timeout_seconds ?? USUAL_SECONDS;
  return (
    <Group align="flex-start" gap="xs">
      <TextInput
        label={label}
        placeholder="Nothing"
        maxLength={4096}
        spellCheck={false}
        style={{ flex: "1 1 260px" }}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        value={hook?.command ?? ""}
        onChange={(event) => {
          const command = event.currentTarget.value;
          onChange(command === "" ? null : { command, timeout_seconds: seconds });
        }}
      />
      {hook && (
        <NumberInput
          label="Ended after, in seconds"
          w={170}
          min={1}
          max={86_400}
          value={seconds}
          onChange={(value) => onChange({ ...hook, timeout_seconds: Number(value) || USUAL_SECONDS })}
        />
      )}
    </Group>
  );
}
