// A part of a page that has to be read first: that it is being read, what went wrong, or what is there.
import { Button, Group, Skeleton, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { ApiError } from "../api/call";
import { words } from "../format/words";

interface Props<T> {
  /** What was asked, as a query tells it. */
  of: { data: T | undefined; error: Error | null; refetch: () => unknown };
  /** What is being read, as in "the trash". */
  reading: string;
  /** Whether nothing stands there until it is read: for what often is not there. */
  quiet?: boolean;
  children: (data: T) => ReactNode;
}

export function Known<T>({ of: { data, error, refetch }, reading, quiet = false, children }: Props<T>) {
  if (data !== undefined) return children(data);
  if (error) return <Unreadable what={reading} error={error} retry={() => void refetch()} />;
  if (quiet) return null;
  return (
    <div role="status" aria-label={`Reading ${reading}`}>
      <Skeleton height={14} my={6} width="70%" />
      <Skeleton height={14} my={6} width="45%" />
    </div>
  );
}

interface UnreadableProps {
  what: string;
  error: Error;
  retry: () => void;
}

/** In the place of a part of a page; Failure is for a whole one. */
function Unreadable({ what, error, retry }: UnreadableProps) {
  if (error instanceof ApiError && error.status === 403) {
    return (
      <Text size="sm" c="dimmed">
        Your role may not see {what}.
      </Text>
    );
  }
  return (
    <Group gap="sm" role="alert">
      <Text size="sm">{words(what)} could not be read: {error.message}</Text>
      <Button size="compact-xs" variant="default" onClick={retry}>
        Try again
      </Button>
    </Group>
  );
}
