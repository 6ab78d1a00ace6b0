// How busy a machine is and was, as its agent measures it.
import { SegmentedControl, SimpleGrid, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { get } from "../../api/call";
import type { MetricPoint, Metrics as Series } from "../../api/schema";
import { Chart } from "../../components/Chart";
import { Known } from "../../components/Known";
import type { Line } from "../../components/Plot";
import { Section } from "../../components/Section";
import { bytes } from "../../format/bytes";

/** Of an agent, or of the machine that one is known to run on. */
export type Measured = { agent: number } | { machine: string };

const HOUR = 3600;
/** The question takes some time itself: what is kept in the finest steps is to reach back far enough when it arrives. */
const ON_THE_WAY = 30;
const SPANS = { hour: HOUR, day: 24 * HOUR, month: 30 * 24 * HOUR, year: 365 * 24 * HOUR };
type Span = keyof typeof SPANS;

const BLUE: [string, string] = ["#1c7ed6", "#4dabf7"];
const ORANGE: [string, string] = ["#d9480f", "#ff922b"];
const percent = (value: number) => `${value.toFixed(0)} %`;
const plain = (value: number) => value.toFixed(value < 10 ? 1 : 0);
const size = (value: number) => bytes(Math.round(value));
const rate = (value: number) => `${bytes(Math.round(value))}/s`;

export function Metrics({ of }: { of: Measured }) {
  const [span, setSpan] = useState<Span>("hour");
  const found = useSeries(of, span);
  const choice = (
    <SegmentedControl
      size="xs"
      aria-label="How far back"
      value={span}
      onChange={(value) => setSpan(value as Span)}
      data={Object.keys(SPANS).map((value) => ({ value, label: value }))}
    />
  );
  return (
    <Section title="How busy it is" actions={choice}>
      <Known of={found} reading="what was measured">
        {(series) =>
          series.points.length > 0 ? (
            <Charts series={series} />
          ) : (
            <Text size="sm" c="dimmed">
              Nothing was measured in this time.
            </Text>
          )
        }
      </Known>
    </Section>
  );
}

/** The series. While it is shown the agent measures more often, and tells; that is when it is read again. */
function useSeries(of: Measured, span: Span) {
  return useQuery({
    queryKey: ["metric", of, span],
    queryFn: ({ signal }): Promise<Series> => {
      const since = new Date(Date.now() - (SPANS[span] - ON_THE_WAY) * 1000).toISOString();
      const query = { since, watch: true };
      return "agent" in of
        ? get("/agents/{id}/metrics", { path: { id: of.agent }, query, signal })
        : get("/machines/{id}/metrics", { path: { id: of.machine }, query, signal });
    },
    placeholderData: (before) => before,
  });
}

function Charts({ series: { points, step_seconds } }: { series: Series }) {
  const times = useMemo(() => points.map((point) => Date.parse(point.at) / 1000), [points]);
  const same = { times, gap: step_seconds * 3 };
  const lines = useMemo(() => linesOf(points), [points]);
  const memory = Math.max(0, ...points.map((point) => point.memory_total_bytes));
  const disk = Math.max(0, ...points.map((point) => point.disk_total_bytes));
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <Chart {...same} label="Processors" lines={lines.cpu} tell={percent} atLeast={100} />
      <Chart {...same} label="Load" lines={lines.load} tell={plain} atLeast={1} />
      <Chart {...same} label="Memory" lines={lines.memory} tell={size} atLeast={memory} base={1024} />
      <Chart {...same} label="Root file system" lines={lines.disk} tell={size} atLeast={disk} base={1024} />
      <Chart {...same} label="Disks" lines={lines.transfer} tell={rate} atLeast={1024} base={1024} />
      <Chart {...same} label="Networks" lines={lines.network} tell={rate} atLeast={1024} base={1024} />
    </SimpleGrid>
  );
}

function linesOf(points: MetricPoint[]) {
  const line = (name: string, of: (point: MetricPoint) => number, colours = BLUE): Line => ({
    name,
    colours,
    values: points.map(of),
  });
  return {
    cpu: [line("Used", (point) => point.cpu_percent)],
    load: [line("Of the last minute", (point) => point.load)],
    memory: [line("Used", (point) => point.memory_used_bytes)],
    disk: [line("Used", (point) => point.disk_used_bytes)],
    transfer: [
      line("Read", (point) => point.disk_read_bytes_per_second),
      line("Written", (point) => point.disk_written_bytes_per_second, ORANGE),
    ],
    network: [
      line("Received", (point) => point.network_received_bytes_per_second),
      line("Sent", (point) => point.network_sent_bytes_per_second, ORANGE),
    ],
  };
}
