import { expect, test } from "vitest";
import { type Dump, faultOf, pathOf, tellDump } from "./dumps";

test("each kind has a place of its own in the backup", () => {
  const dumps: Dump[] = [
    { kind: "postgresql", database: "shop" },
    { kind: "postgresql", database: null },
    { kind: "mysql", database: "shop" },
    { kind: "sqlite", path: "/srv/app.db" },
    { kind: "command", name: "packages", command: "dpkg -l" },
  ];
  expect(dumps.map(pathOf)).toEqual([
    "/roadstead-dumps/postgresql/shop.dump",
    "/roadstead-dumps/postgresql.sql",
    "/roadstead-dumps/mysql/shop.sql",
    "/roadstead-dumps/sqlite/srv/app.db",
    "/roadstead-dumps/command/packages",
  ]);
  expect(dumps.map(tellDump).join(" ")).toBe(
    "postgresql:shop postgresql mysql:shop sqlite:/srv/app.db command:packages",
  );
  expect(dumps.map((_, index) => faultOf(dumps, index))).toEqual(dumps.map(() => null));
});

test("what the server would refuse is told", () => {
  const wrong: Dump[] = [
    { kind: "postgresql", database: "a/b" },
    { kind: "mysql", database: "--help" },
    { kind: "sqlite", path: "app.db" },
    { kind: "sqlite", path: "/a/../b" },
    { kind: "sqlite", path: "/" },
    { kind: "command", name: "..", command: "true" },
  ];
  for (const dump of wrong) expect(faultOf([dump], 0), tellDump(dump)).not.toBeNull();
  const twice: Dump[] = [
    { kind: "sqlite", path: "/a" },
    { kind: "sqlite", path: "/a/b" },
  ];
  expect(faultOf(twice, 0)).toBeNull();
  expect(faultOf(twice, 1)).not.toBeNull();
});
