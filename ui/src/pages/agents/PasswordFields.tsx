// A new password, typed twice.
import { Alert, PasswordInput, Stack, Text } from "@mantine/core";
import { MIN_PASSWORD } from "../../api/password";
import type { Agent } from "../../api/schema";

export interface NewPassword {
  first: string;
  again: string;
}

/** Whether it can be taken. */
export function isWhole({ first, again }: NewPassword): boolean {
  return first.length >= MIN_PASSWORD && first === again;
}

export function PasswordFields({
  value,
  onChange,
}: {
  value: NewPassword;
  onChange: (value: NewPassword) => void;
}) {
  const differs = value.again !== "" && value.first !== value.again;
  return (
    <>
      <PasswordInput
        label="The new password"
        description={`${MIN_PASSWORD} characters or more, better many more. Nobody can bring it back.`}
        required
        autoComplete="new-password"
        value={value.first}
        onChange={(event) => onChange({ ...value, first: event.currentTarget.value })}
      />
      <PasswordInput
        label="The same again"
        required
        autoComplete="new-password"
        error={differs && "It differs from the one above."}
        value={value.again}
        onChange={(event) => onChange({ ...value, again: event.currentTarget.value })}
      />
    </>
  );
}

/** What the password is encrypted to: to be compared by whoever does not take the server's word. */
export function Fingerprint({ agent }: { agent: Agent }) {
  return (
    <Alert color="gray" title="The agent's key">
      <Stack gap={4}>
        <Text size="sm">
          The password is encrypted in this browser, to the key with this fingerprint. Compare it with what{" "}
          <code className="mono">roadstead agent enroll</code> printed on the machine.
        </Text>
        <span className="mono">{agent.fingerprint}</span>
      </Stack>
    </Alert>
  );
}
