import { expect, test } from "vitest";
import { filtersOf, textOf } from "./filters";

test("a view comes back as it was kept, and nothing else with it", () => {
  const filters = { search: "web & db=1", state: "stopped" as const };
  expect(filtersOf(textOf(filters))).toEqual(filters);
  expect(filtersOf("tag=a&other=b")).toEqual({ tag: "a" });
  expect(textOf({})).toBe("");
});
