// Doing something: what happened is told, and what it changed is read again.
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";

/** How an action is told. */
export interface Told<V, T> {
  /** The nouns that it changes. */
  changes: string[];
  /** What has happened, in a sentence. */
  done?: string | ((reply: T, value: V) => string);
  /** What comes after it. */
  after?: (reply: T, value: V) => void;
  /** Whether the one who calls shows errors itself. */
  quiet?: boolean;
}

/** An action as a hook; `mutate` does it. */
export function useAction<V = void, T = unknown>(act: (value: V) => Promise<T>, told: Told<V, T>) {
  const client = useQueryClient();
  return useMutation<T, Error, V>({
    mutationFn: act,
    onSuccess: (reply, value) => {
      for (const noun of told.changes) void client.invalidateQueries({ queryKey: [noun] });
      const message = typeof told.done === "function" ? told.done(reply, value) : told.done;
      if (message) notifications.show({ message });
      told.after?.(reply, value);
    },
    onError: (error) => {
      if (!told.quiet)
        notifications.show({
          title: "That did not work",
          message: error.message,
          color: "red",
          autoClose: 10_000,
        });
    },
  });
}
