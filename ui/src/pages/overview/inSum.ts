// Several series of days as one.
import type { VaultDay } from "../../api/schema";

/** What vaults took in sum on each day on which any was measured, oldest first. One that was not measured on a day took
 * as much as on the last one before; nothing before its first. */
export function inSum(series: VaultDay[][]): [day: string, bytes: number][] {
  const changes = new Map<string, number>();
  for (const days of series) {
    let before = 0;
    for (const { day, size_bytes } of days) {
      changes.set(day, (changes.get(day) ?? 0) + size_bytes - before);
      before = size_bytes;
    }
  }
  let sum = 0;
  return [...changes].sort().map(([day, change]) => {
    sum += change;
    return [day, sum];
  });
}
