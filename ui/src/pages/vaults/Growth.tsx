// How a vault has grown, day by day.
import { useMemo } from "react";
import { useOne } from "../../api/lists";
import type { VaultDay } from "../../api/schema";
import { Chart } from "../../components/Chart";
import { Known } from "../../components/Known";
import type { Line } from "../../components/Plot";
import { bytes } from "../../format/bytes";

const DAYS = 365;
const size = (value: number) => bytes(Math.round(value));

export function Growth({ vaultId }: { vaultId: string }) {
  const found = useOne("vault", "/vaults/{id}/growth", { path: { id: vaultId }, query: { days: DAYS } });
  return (
    <Known of={found} reading="how it has grown" quiet>
      {({ days }) => <Drawn days={days} />}
    </Known>
  );
}

function Drawn({ days }: { days: VaultDay[] }) {
  const [times, lines] = useMemo((): [number[], Line[]] => {
    const values = days.map((day) => day.size_bytes);
    return [
      days.map((day) => Date.parse(day.day) / 1000),
      [{ name: "Size", colours: ["#0b7a88", "#33aab8"], values }],
    ];
  }, [days]);
  // Of a single day there is nothing to be drawn.
  if (times.length < 2) return null;
  return <Chart label="Size over time" times={times} lines={lines} tell={size} base={1024} />;
}
