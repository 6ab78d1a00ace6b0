// What a backend tells of a machine beside what all backends tell, as people read it.
import { short } from "../../format/time";
import { words } from "../../format/words";

const UNITS: Record<string, string> = { gib: "GiB", mib: "MiB", kib: "KiB", gb: "GB", mb: "MB", mhz: "MHz" };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** A name and a value: `memory_mib` and 1024 are `Memory` and `1024 MiB`. */
export function extraFact(name: string, value: unknown): [string, string] {
  const [, before, unit = ""] = /^(\w+)_([a-z]+)$/.exec(name) ?? [];
  const known = UNITS[unit];
  if (before && known && typeof value === "number") return [words(before), `${value} ${known}`];
  return [words(name), shown(value)];
}

function shown(value: unknown): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "string") return TIME.test(value) ? short(value) : value;
  if (value === null || typeof value === "number") return String(value ?? "");
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(", ");
  return JSON.stringify(value);
}
