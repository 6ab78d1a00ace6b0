// What is shown in the place of what could not be read.
import { Button } from "@mantine/core";
import { IconAlertTriangle, IconLock } from "@tabler/icons-react";
import { ApiError } from "../api/call";
import { EmptyState } from "./EmptyState";

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  if (error instanceof ApiError && error.status === 403) {
    return (
      <EmptyState
        icon={IconLock}
        title="Your role may not see this"
        hint="An admin of the account can change your role."
      />
    );
  }
  const id = error instanceof ApiError && error.requestId ? ` (request ${error.requestId})` : "";
  const again = retry && (
    <Button variant="default" onClick={retry}>
      Try again
    </Button>
  );
  return (
    <EmptyState
      icon={IconAlertTriangle}
      title="This could not be read"
      hint={`${error.message}${id}`}
      action={again}
    />
  );
}
