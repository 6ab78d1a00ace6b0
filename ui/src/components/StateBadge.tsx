// A state, in colour and in words: never in colour alone.
import { Badge } from "@mantine/core";
import { words } from "../format/words";

const COLOURS: Record<string, string> = {
  running: "green",
  online: "green",
  completed: "green",
  connected: "green",
  stopped: "gray",
  disabled: "gray",
  queued: "gray",
  cancelled: "gray",
  skipped: "gray",
  terminated: "gray",
  unknown: "gray",
  pending: "blue",
  rebooting: "blue",
  searching: "blue",
  start_requested: "blue",
  in_progress: "blue",
  stop_requested: "yellow",
  suspended: "yellow",
  completed_with_errors: "yellow",
  missed: "orange",
  failed: "red",
  timed_out: "red",
  error: "red",
  offline: "red",
  disconnected: "red",
};

export function StateBadge({ state }: { state: string }) {
  return (
    <Badge
      className="state"
      variant="light"
      color={COLOURS[state] ?? "gray"}
      size="sm"
      radius="sm"
      tt="none"
      fw={600}
    >
      {words(state)}
    </Badge>
  );
}
