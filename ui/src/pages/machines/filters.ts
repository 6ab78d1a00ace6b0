// What the list of machines is narrowed to. It stands in the address, so that it can be kept and sent on.
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { MachineQuery, MachineState } from "../../api/schema";

export interface Filters {
  search?: string;
  backend?: string;
  state?: MachineState;
  tag?: string;
  protection?: Protection;
}

/** What of its backups a machine is looked for by. */
export type Protection = "protected" | "unprotected" | "agent" | "no-agent";

export const PROTECTIONS: { value: Protection; label: string }[] = [
  { value: "unprotected", label: "Unprotected" },
  { value: "protected", label: "Protected" },
  { value: "no-agent", label: "Without an agent" },
  { value: "agent", label: "With an agent" },
];

/** The filters as the list's query. */
export function queryOf({ search, backend, state, tag, protection }: Filters): MachineQuery {
  return {
    search,
    backend_id: backend,
    state,
    tag,
    protected: protection === "protected" ? true : protection === "unprotected" ? false : undefined,
    has_agent: protection === "agent" ? true : protection === "no-agent" ? false : undefined,
  };
}

export const STATES: MachineState[] = [
  "running",
  "stopped",
  "pending",
  "rebooting",
  "suspended",
  "error",
  "terminated",
  "unknown",
];

const NAMES = ["search", "backend", "state", "tag", "protection"] as const;

/** The filters as a query of an address, to be kept. */
export function textOf(filters: Filters): string {
  const query = new URLSearchParams();
  for (const name of NAMES) if (filters[name]) query.set(name, String(filters[name]));
  return query.toString();
}

/** The filters of such a query; what it says beyond them is passed over. */
export function filtersOf(text: string): Filters {
  const query = new URLSearchParams(text);
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? undefined]));
}

/** The filters of the address, and how to change some of them. */
export function useFilters(): [Filters, (change: Filters) => void] {
  const filters = useSearch({ strict: false }) as Filters;
  const navigate = useNavigate();
  const set = (change: Filters) => {
    const all = Object.entries({ ...filters, ...change }).filter(([, value]) => value);
    void navigate({ to: "/machines", search: Object.fromEntries(all) as never, replace: true });
  };
  return [filters, set];
}
