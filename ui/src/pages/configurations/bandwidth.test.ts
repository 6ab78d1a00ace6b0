import { expect, test } from "vitest";
import { limitFault, tellLimit } from "./bandwidth";

test("limits read as sentences", () => {
  const rate = { bytes_per_second: 2 << 20 };
  expect(tellLimit({ from: "08:00", until: "18:00", ...rate })).toBe("From 08:00 until 18:00, up to 2.0 MiB a second");
  expect(tellLimit({ from: "22:00", until: "06:00", ...rate })).toContain("until 06:00 of the next day");
  expect(tellLimit({ from: "00:00", until: "00:00", ...rate })).toMatch(/^All day/);
});

test("what is slower than the server takes is told", () => {
  expect(limitFault({ from: "08:00", until: "18:00", bytes_per_second: 1023 })).not.toBeNull();
  expect(limitFault({ from: "08:00", until: "18:00", bytes_per_second: 1024 })).toBeNull();
});
