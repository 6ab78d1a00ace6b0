import { expect, test } from "vitest";
import { inSum } from "./inSum";

test("a vault that was not measured on a day counts with what it took before", () => {
  const day = (day: string, size_bytes: number) => ({ day, size_bytes, snapshot_count: 1 });
  const sums = inSum([
    [day("2026-11-01", 10), day("2026-11-03", 30)],
    [day("2026-11-02", 5), day("2026-11-03", 4)],
    [],
  ]);
  expect(sums).toEqual([
    ["2026-11-01", 10],
    ["2026-11-02", 15],
    ["2026-11-03", 34],
  ]);
});
