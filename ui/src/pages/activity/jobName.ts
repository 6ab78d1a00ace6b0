// What a job is called.
import type { Job } from "../../api/schema";

const NAMES: Record<Job["kind"], string> = {
  machine_create: "Creation of machines",
  machine_protect: "Protection of a machine",
  machine_rebuild: "Rebuilding of a machine",
};

export function jobName({ kind, id }: Pick<Job, "kind" | "id">): string {
  return `${NAMES[kind]}, ${id}`;
}
