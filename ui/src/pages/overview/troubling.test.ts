import { expect, test } from "vitest";
import type { Activity, RunState } from "../../api/schema";
import { troubling } from "./troubling";

const run = (id: number, state: RunState, configuration_id = 1, kind: Activity["kind"] = "backup") =>
  ({ id, state, kind, configuration_id, vault_id: "v" }) as Activity;

test("what was made good since needs nobody, and what fails each hour is told once", () => {
  expect(troubling([run(3, "completed"), run(2, "failed"), run(1, "failed")])).toEqual([]);
  expect(troubling([run(3, "failed"), run(2, "failed"), run(1, "completed")]).map((one) => one.id)).toEqual([3]);
});

test("what runs, was skipped or cancelled does not make good what went wrong", () => {
  const runs = [run(5, "in_progress"), run(4, "cancelled"), run(3, "skipped"), run(2, "missed")];
  expect(troubling(runs).map((one) => one.id)).toEqual([2]);
});

test("other configurations and other kinds of runs count for themselves", () => {
  const runs = [run(4, "completed"), run(3, "failed", 2), run(2, "failed", 1, "restore")];
  expect(troubling(runs).map((one) => one.id)).toEqual([3, 2]);
});
