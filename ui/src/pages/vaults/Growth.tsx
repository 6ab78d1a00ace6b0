// How a vault has grown, day by day.
import { useMemo } from "react";
import { useOne } from "../../api/lists";
import { Chart } from "../../components/Chart";
import type { Line } from "../../components/Plot";
import { bytes } from "../../format/bytes";

const DAYS = 365;
const size = (value: number) => bytes(Math.round(value));

export function Growth({ vaultId }: { vaultId: string }) {
  const { data } = useOne("vault", "/vaults/{id}/growth", { path: { id: vaultId }, query: { days: DAYS } });
  const [times, lines] = useMemo((): [number[], Line[]] => {
    const days = data?.days ?? [];
    const values = days.map((day) => day.size_bytes);
    return [
      days.map((day) => Date.parse(day.day) / 1000),
      [{ name: "Size", colours: ["#0b7a88", "#33aab8"], values }],
    ];
  }, [data]);
  // Of a single day there is nothing to be drawn.
  if (times.length < 2) return null;
  return <Chart label="Size over time" times={times} lines={lines} tell={size} base={1024} />;
}
