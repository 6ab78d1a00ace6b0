import { expect, test } from "vitest";
import { bytes, plural } from "./bytes";
import { ago, span } from "./time";
import { words } from "./words";

test("sizes are in binary units", () => {
  expect([0, 1023, 1024, 53_057_945].map(bytes)).toEqual(["0 B", "1023 B", "1.0 KiB", "50.6 MiB"]);
  expect([plural(1, "file"), plural(5457, "file")]).toEqual(["1 file", "5,457 files"]);
});

test("times tell how far off they are", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(ago("2026-01-02T00:00:02Z", now)).toBe("now");
  expect(ago("2026-01-01T23:57:00Z", now)).toBe("3 min. ago");
  expect(ago("2026-01-02T02:00:00Z", now)).toBe("in 2 hr.");
  expect(ago("2026-01-01T00:00:00Z", now)).toBe("yesterday");
});

test("spans are as fine as they need to be", () => {
  expect([2.34, 59, 250, 11100, 90000].map(span)).toEqual([
    "2.3 s",
    "59 s",
    "4 min 10 s",
    "3 h 5 min",
    "1 d 1 h",
  ]);
});

test("states are readable", () => {
  expect(words("completed_with_errors")).toBe("Completed with errors");
});
