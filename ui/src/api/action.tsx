// Doing something: what happened is told, what it changed is read again, and where it can be undone a click does that.
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";

/** How an action is told. */
export interface Told<V, T> {
  /** The nouns that it changes. */
  changes: string[];
  /** What has happened, in a sentence. */
  done?: string | ((reply: T, value: V) => string);
  /** What takes it back; it is offered beside what has happened. */
  undo?: (reply: T, value: V) => Promise<unknown>;
  /** What comes after it. */
  after?: (reply: T, value: V) => void;
  /** Whether the one who calls shows errors itself. */
  quiet?: boolean;
}

/** How long an error stays in sight, and what can be undone. */
const LONG_MS = 10_000;

/** An action as a hook; `mutate` does it. */
export function useAction<V = void, T = unknown>(act: (value: V) => Promise<T>, told: Told<V, T>) {
  const client = useQueryClient();
  return useMutation<T, Error, V>({
    mutationFn: act,
    onSuccess: (reply, value) => {
      readAgain(client, told.changes);
      const message = typeof told.done === "function" ? told.done(reply, value) : told.done;
      const { undo } = told;
      if (message && undo) offerUndo(message, () => undo(reply, value), () => readAgain(client, told.changes));
      else if (message) notifications.show({ message });
      told.after?.(reply, value);
    },
    onError: (error) => {
      if (!told.quiet) tellFailure("That did not work", error);
    },
  });
}

function readAgain(client: QueryClient, nouns: string[]): void {
  for (const noun of nouns) void client.invalidateQueries({ queryKey: [noun] });
}

function tellFailure(title: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  notifications.show({ title, message, color: "red", autoClose: LONG_MS });
}

function offerUndo(message: string, undo: () => Promise<unknown>, after: () => void): void {
  const takeBack = () => {
    notifications.hide(id);
    undo()
      .then(() => notifications.show({ message: "It is as it was before." }))
      .catch((error: unknown) => tellFailure("That could not be undone", error))
      .finally(after);
  };
  const id = notifications.show({
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button size="compact-sm" variant="light" onClick={takeBack}>
          Undo
        </Button>
      </Group>
    ),
    autoClose: LONG_MS,
  });
}
