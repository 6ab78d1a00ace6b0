// What is dumped into a backup: its kinds, where each lies in the backup, and what the server would refuse.
import type { BackupOptions } from "../../api/schema";

export type Dump = NonNullable<BackupOptions["dumps"]>[number];
export type DumpKind = Dump["kind"];

export const KINDS: { value: DumpKind; label: string }[] = [
  { value: "postgresql", label: "PostgreSQL" },
  { value: "mysql", label: "MySQL or MariaDB" },
  { value: "sqlite", label: "SQLite" },
  { value: "command", label: "What a command prints" },
];

/** How many a configuration takes. */
export const MOST_DUMPS = 200;
const FOLDER = "/roadstead-dumps";
const LONGEST_NAME = 200;
const LONGEST_PATH = 4096;

/** One of a kind, with nothing said of it yet. */
export function newDump(kind: DumpKind): Dump {
  switch (kind) {
    case "sqlite":
      return { kind, path: "" };
    case "command":
      return { kind, name: "", command: "" };
    default:
      return { kind, database: null };
  }
}

/** Its file in the backup. */
export function pathOf(dump: Dump): string {
  switch (dump.kind) {
    case "postgresql":
      return dump.database ? `${FOLDER}/postgresql/${dump.database}.dump` : `${FOLDER}/postgresql.sql`;
    case "mysql":
      return dump.database ? `${FOLDER}/mysql/${dump.database}.sql` : `${FOLDER}/mysql.sql`;
    case "sqlite":
      return `${FOLDER}/sqlite${dump.path}`;
    case "command":
      return `${FOLDER}/command/${dump.name}`;
  }
}

/** In few words, for a list. */
export function tellDump(dump: Dump): string {
  switch (dump.kind) {
    case "sqlite":
      return `sqlite:${dump.path}`;
    case "command":
      return `command:${dump.name}`;
    default:
      return dump.database ? `${dump.kind}:${dump.database}` : dump.kind;
  }
}

/** What is wrong with one of them, if anything is. What is not said yet is not wrong. */
export function faultOf(dumps: Dump[], index: number): string | null {
  const dump = dumps[index];
  if (!dump) return null;
  const name = dump.kind === "command" ? dump.name : dump.kind === "sqlite" ? null : dump.database;
  if (name && !isName(name)) return "That could not be a file's name: no slash, and no dot or dash in front.";
  if (dump.kind === "sqlite" && dump.path && !isPath(dump.path))
    return "An absolute path, without . and .. in it.";
  const isBeneath = (path: string, other: string) => path === other || path.startsWith(`${other}/`);
  const own = pathOf(dump);
  const others = dumps.slice(0, index).map(pathOf);
  const clash = others.some((other) => isBeneath(own, other) || isBeneath(other, own));
  return clash ? "It stands there twice, or beneath another." : null;
}

function isName(name: string): boolean {
  const fits = new TextEncoder().encode(name).length <= LONGEST_NAME;
  return fits && !/^[-.]/.test(name) && !/[/\p{Cc}]/u.test(name);
}

function isPath(path: string): boolean {
  const parts = path.split("/");
  const plain = (part: string) => part !== "" && part !== "." && part !== ".." && !part.includes("\0");
  return parts.length > 1 && parts[0] === "" && parts.slice(1).every(plain) && path.length <= LONGEST_PATH;
}
