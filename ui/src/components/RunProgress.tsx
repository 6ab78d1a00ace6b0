// How far a run is: bytes, files, rate, time left, the file in hand.
import { Progress as Bar, Group, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { Progress } from "../api/schema";
import { bytes, plural } from "../format/bytes";
import { span } from "../format/time";

/** The rate is over the last seconds, so that it follows what happens. */
const WINDOW_MS = 10_000;

export function RunProgress({ progress, verb }: { progress: Progress; verb: string }) {
  const rate = useRate(progress.bytes_searched ?? 0);
  const done = progress.bytes_searched ?? 0;
  const total = progress.bytes_total ?? 0;
  const share = total > 0 ? Math.min(100, (done / total) * 100) : 0;
  const left = progress.totals_final && rate > 0 ? (total - done) / rate : undefined;
  return (
    <Stack gap={6}>
      <Bar
        value={share}
        size="lg"
        radius="sm"
        animated={share < 100}
        aria-label={`${verb}: ${share.toFixed(0)} %`}
      />
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          {bytes(done)} of {progress.totals_final ? "" : "at least "}
          {bytes(Math.max(total, done))}, {plural(progress.files_searched ?? 0, "file")} looked at,{" "}
          {plural(progress.files_done ?? 0, "file")} {verb}
        </Text>
        <Text size="sm" c="dimmed">
          {rate > 0 && `${bytes(Math.round(rate))}/s`}
          {left !== undefined && left > 0 && `, about ${span(left)} left`}
        </Text>
      </Group>
      {progress.current_path && (
        <Text size="xs" c="dimmed" className="mono" truncate>
          {progress.current_path}
        </Text>
      )}
    </Stack>
  );
}

function useRate(done: number): number {
  const seen = useRef<{ at: number; done: number }[]>([]);
  const [rate, setRate] = useState(0);
  useEffect(() => {
    const at = Date.now();
    seen.current = [...seen.current.filter((past) => at - past.at < WINDOW_MS), { at, done }];
    const first = seen.current[0];
    if (first && at > first.at) setRate(((done - first.done) / (at - first.at)) * 1000);
  }, [done]);
  return rate;
}
