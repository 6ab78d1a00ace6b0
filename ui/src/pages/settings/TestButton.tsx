// Sends a test at once, and says how that went.
import { Button, type ButtonProps } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useAction } from "../../api/action";

interface Props extends ButtonProps {
  label: string;
  /** The noun that tells of it, too. */
  changes: string;
  test: () => Promise<{ delivered: boolean; error?: string | null }>;
}

export function TestButton({ label, changes, test, ...button }: Props) {
  const send = useAction(test, {
    changes: [changes],
    after: ({ delivered, error }) =>
      notifications.show(
        delivered
          ? { message: "The test was taken.", color: "green" }
          : { title: "The test was not taken", message: error, color: "red", autoClose: 10_000 },
      ),
  });
  return (
    <Button
      size="compact-xs"
      variant="default"
      aria-label={label}
      {...button}
      loading={send.isPending}
      onClick={() => send.mutate()}
    >
      Test
    </Button>
  );
}
