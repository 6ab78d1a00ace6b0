// A form in two steps: first the plan of what is asked for, then the deed. A change of the form takes the plan back.
import { Alert, Button, Group, Stack } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";

interface Step<T> {
  mutate: () => void;
  isPending: boolean;
  error: Error | null;
  data?: T;
}

interface Props<T> {
  /** Asks what it comes to. */
  plan: Step<T>;
  /** Does it. */
  deed: Step<unknown>;
  /** What the button says that does it. */
  send: string;
  /** The inputs. */
  children: ReactNode;
  /** What it comes to, for people. */
  shown: (plan: T) => ReactNode;
}

export function PlannedForm<T>({ plan, deed, send, children, shown }: Props<T>) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    plan.mutate();
  };
  const error = plan.error ?? deed.error;
  return (
    <form onSubmit={submit} className="panel" style={{ maxWidth: 680, padding: 20 }}>
      <Stack>
        {children}
        {error && (
          <Alert color="red" role="alert">
            {error.message}
          </Alert>
        )}
        {plan.data && shown(plan.data)}
        <Group justify="flex-end">
          <Button type="submit" variant={plan.data ? "default" : "filled"} loading={plan.isPending}>
            Show the plan
          </Button>
          {plan.data && (
            <Button loading={deed.isPending} onClick={() => deed.mutate()}>
              {send}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
