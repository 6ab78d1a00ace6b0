// What becomes of files that are there already.
import type { OverwriteRule } from "../../api/schema";

export const RULES: { value: OverwriteRule; label: string; effect: string }[] = [
  {
    value: "never",
    label: "Keep them",
    effect: "Files that are there already stay as they are.",
  },
  {
    value: "if_changed",
    label: "Overwrite those that differ",
    effect: "Files there that differ will be overwritten. That cannot be undone, unless they are in a later backup.",
  },
  {
    value: "if_newer",
    label: "Overwrite those that are older than the backup's",
    effect: "Files there that were written before the backup's will be overwritten; newer ones stay.",
  },
  {
    value: "always",
    label: "Overwrite all",
    effect: "All files there that are in the backup will be overwritten. That cannot be undone.",
  },
];

export function effectOf(rule: OverwriteRule): string {
  return RULES.find((one) => one.value === rule)?.effect ?? "";
}
