// A chart, drawn by uPlot in the colours of the page.
import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import uPlot from "uplot";

export interface Line {
  name: string;
  /** A colour for light ground and one for dark. */
  colours: [string, string];
  /** A value for each time; null where none was measured. */
  values: (number | null)[];
}

export interface ChartProps {
  label: string;
  /** In seconds since 1970, ascending. */
  times: number[];
  lines: Line[];
  /** A value as people read it. */
  tell: (value: number) => string;
  /** What the axis goes up to at the least. */
  atLeast?: number;
  /** What the axis' steps are powers of: 1024 for sizes. */
  base?: 10 | 1024;
  /** Further apart than so many seconds, points are not joined. */
  gap?: number;
}

const HEIGHT = 180;

export default function Plot({ label, times, lines, tell, atLeast = 0, base = 10, gap }: ChartProps) {
  const { ref, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  const dark = useComputedColorScheme("light") === "dark";
  useEffect(() => {
    if (!place.current || width === 0) return;
    const ink = dark ? "#9fb0b8" : "#56636b";
    const grid = { stroke: dark ? "#2b353b" : "#e2e7ea", width: 1 };
    const isGap = (index: number) => gap !== undefined && (times[index] ?? 0) - (times[index - 1] ?? 0) > gap;
    const plot = new uPlot(
      {
        width,
        height: HEIGHT,
        scales: { y: { range: (_, __, high) => [0, Math.max(high * 1.08, atLeast)] } },
        axes: [
          { stroke: ink, grid },
          {
            stroke: ink,
            grid,
            size: 76,
            incrs: base === 1024 ? BINARY_STEPS : undefined,
            values: (_, values) => values.map(tell),
          },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.name,
            stroke: line.colours[dark ? 1 : 0],
            width: 1.6,
            points: { show: times.length < 3 },
            value: (_: uPlot, value: number | null) => (value === null ? "–" : tell(value)),
            gaps: (_: uPlot, __: number, from: number, to: number, known: uPlot.Series.Gaps) => {
              const more: uPlot.Series.Gaps = [...known];
              for (let index = from + 1; index <= to; index += 1) {
                if (isGap(index)) more.push([at(_, times[index - 1]), at(_, times[index])]);
              }
              return more.sort((a, b) => a[0] - b[0]);
            },
          })),
        ],
      },
      [times, ...lines.map((line) => line.values)],
      place.current,
    );
    return () => plot.destroy();
  }, [times, lines, tell, atLeast, base, gap, dark, width]);
  return (
    <figure className="chart" ref={ref} aria-label={summary(label, lines, tell)}>
      <figcaption>{label}</figcaption>
      <div ref={place} style={{ minHeight: HEIGHT }} />
    </figure>
  );
}

const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

function at(plot: uPlot, time = 0): number {
  return plot.valToPos(time, "x", true);
}

/** What it shows, in words: the newest values. */
function summary(label: string, lines: Line[], tell: (value: number) => string): string {
  const newest = lines.map((line) => {
    const value = line.values.findLast((one) => one !== null);
    return `${line.name} ${value === undefined || value === null ? "unknown" : tell(value)}`;
  });
  return `${label}: ${newest.join(", ")}`;
}
