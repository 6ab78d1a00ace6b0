// What the largest vaults took together, day by day.
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { get } from "../../api/call";
import { useAll } from "../../api/lists";
import type { VaultDay } from "../../api/schema";
import { Chart } from "../../components/Chart";
import { Known } from "../../components/Known";
import type { Line } from "../../components/Plot";
import { Section } from "../../components/Section";
import { bytes } from "../../format/bytes";
import { inSum } from "./inSum";

/** Each vault is asked for by itself, so that only so many are. */
const MOST = 8;
const DAYS = 90;
const size = (value: number) => bytes(Math.round(value));

export function StorageOverTime() {
  // That the vaults could not be read is told beside this.
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
      data: found.every((one) => one.data) ? found.map((one) => one.data?.days ?? []) : undefined,
      error: found.find((one) => one.error)?.error ?? null,
      refetch: () => found.map((one) => one.refetch()),
    }),
  });
  const isAll = (vaults?.length ?? 0) <= MOST;
  return (
    <Known of={series} reading="the storage used" quiet>
      {(all) => <Drawn series={all} label={isAll ? "All vaults" : `The ${MOST} largest vaults`} />}
    </Known>
  );
}

function Drawn({ series, label }: { series: VaultDay[][]; label: string }) {
  const [times, lines] = useMemo((): [number[], Line[]] => {
    const sums = inSum(series);
    return [
      sums.map(([day]) => Date.parse(day) / 1000),
      [{ name: "In sum", colours: ["#0b7a88", "#33aab8"], values: sums.map(([, sum]) => sum) }],
    ];
  }, [series]);
  // Of a single day there is nothing to be drawn.
  if (times.length < 2) return null;
  return (
    <Section title="Storage used">
      <Chart label={label} times={times} lines={lines} tell={size} base={1024} />
    </Section>
  );
}
