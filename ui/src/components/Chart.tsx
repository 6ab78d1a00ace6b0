// A chart of times: its code is read when the first one is shown.
import { Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { ChartProps } from "./Plot";

const Plot = lazy(() => import("./Plot"));

export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Loader size="sm" aria-label={`Reading ${props.label}`} />}>
      <Plot {...props} />
    </Suspense>
  );
}
