// A form: its inputs, why it was not taken, and the buttons that leave it and send it.
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";

interface Props {
  /** What the button says that sends it. */
  send: string;
  /** What is done with it. */
  action: { mutate: () => void; isPending: boolean; error: Error | null };
  /** Whether it cannot be sent as it is. */
  disabled?: boolean;
  /** Closes it without a change, where it can be closed. */
  onLeave?: () => void;
  /** What stands over an error. */
  failed?: string;
  /** A word beside the buttons. */
  note?: ReactNode;
  children: ReactNode;
}

export function Form({ send, action, disabled, onLeave, failed, note, children }: Props) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A window is part of the form around it in React, though not on the screen.
    event.stopPropagation();
    action.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        {children}
        {action.error && (
          <Alert color="red" role="alert" title={failed}>
            {action.error.message}
          </Alert>
        )}
        <Group justify={note ? "space-between" : "flex-end"}>
          {note && (
            <Text size="xs" c="dimmed">
              {note}
            </Text>
          )}
          <Group gap="sm">
            {onLeave && (
              <Button variant="default" onClick={onLeave}>
                Leave it
              </Button>
            )}
            <Button type="submit" disabled={disabled} loading={action.isPending}>
              {send}
            </Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
