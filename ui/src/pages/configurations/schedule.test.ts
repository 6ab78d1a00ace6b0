import { expect, test } from "vitest";
import { formatSchedule, parseSchedule, tellSchedule } from "./schedule";

test("every form comes back as it was", () => {
  for (const text of [
    "manual",
    "hourly:6",
    "daily@02:30",
    "weekly:mon@23:05",
    "cron:*/10 9-17 * * mon-fri",
  ]) {
    expect(formatSchedule(parseSchedule(text))).toBe(text);
  }
});

test("schedules read as sentences", () => {
  expect(tellSchedule("weekly:mon@23:05")).toBe("Mondays at 23:05");
  expect(tellSchedule("hourly:1")).toBe("Every hour");
});
