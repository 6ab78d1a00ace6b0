// What the largest vaults took together, day by day.
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { get } from "../../api/call";
import { useAll } from "../../api/lists";
import { Chart } from "../../components/Chart";
import type { Line } from "../../components/Plot";
import { Section } from "../../components/Section";
import { bytes } from "../../format/bytes";
import { inSum } from "./inSum";

/** Each vault is asked for by itself, so that only so many are. */
const MOST = 8;
const DAYS = 90;
const size = (value: number) => bytes(Math.round(value));

export function StorageOverTime() {
  const { data: vaults } = useAll("vault", "/vaults");
  const largest = [...(vaults ?? [])].sort((a, b) => b.size_bytes - a.size_bytes).slice(0, MOST);
  const series = useQueries({
    queries: largest.map(({ id }) => ({
      queryKey: ["vault", "one", "/vaults/{id}/growth", { id }, { days: DAYS }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        get("/vaults/{id}/growth", { path: { id }, query: { days: DAYS }, signal }),
      // It is measured once a day.
      staleTime: 600_000,
    })),
    combine: (found) => ({
      known: found.every((one) => !one.isPending),
      all: found.flatMap((one) => (one.data ? [one.data] : [])),
    }),
  });
  const [times, lines] = useMemo((): [number[], Line[]] => {
    const sums = inSum(series.all.map((one) => one.days));
    return [
      sums.map(([day]) => Date.parse(day) / 1000),
      [{ name: "In sum", colours: ["#0b7a88", "#33aab8"], values: sums.map(([, sum]) => sum) }],
    ];
  }, [series.all]);
  // Of a single day there is nothing to be drawn.
  if (!series.known || times.length < 2) return null;
  const isAll = (vaults?.length ?? 0) <= MOST;
  return (
    <Section title="Storage used">
      <Chart
        label={isAll ? "All vaults" : `The ${MOST} largest vaults`}
        times={times}
        lines={lines}
        tell={size}
        base={1024}
      />
    </Section>
  );
}
