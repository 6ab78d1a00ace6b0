import { expect, test } from "vitest";
import { short } from "../../format/time";
import { extraFact } from "./extra";

test.each([
  ["memory_mib", 1024, "Memory", "1024 MiB"],
  ["disk_gib", 25, "Disk", "25 GiB"],
  ["gib", 25, "Gib", "25"],
  ["locked", false, "Locked", "No"],
  ["image_name", "12 x64", "Image name", "12 x64"],
  ["ports", [80, 443], "Ports", "80, 443"],
  ["mounts", [{ from: "/a" }], "Mounts", '[{"from":"/a"}]'],
  ["nothing", null, "Nothing", ""],
])("%s %j is told as %s: %s", (name, value, told, shown) => {
  expect(extraFact(name, value)).toEqual([told, shown]);
});

test("a time is told in the viewer's zone, and what only begins like one is not", () => {
  const at = "2026-07-21T18:37:44Z";
  expect(extraFact("created_at", at)).toEqual(["Created at", short(at)]);
  expect(extraFact("tag", "2026-07-21T18:37:44Z-blue")).toEqual(["Tag", "2026-07-21T18:37:44Z-blue"]);
});
