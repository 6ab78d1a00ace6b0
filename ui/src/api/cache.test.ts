import { expect, test } from "vitest";
import { mended } from "./cache";
import type { Event } from "./schema";

const event: Event = {
  noun: "backup",
  id: "3",
  what: "state",
  state: "completed",
  at: "2026-01-01T00:00:00Z",
};

test("a state reaches the thing itself and its row, and nothing else", () => {
  const list = {
    pages: [
      {
        items: [
          { id: 2, state: "queued" },
          { id: 3, state: "queued" },
        ],
      },
    ],
    pageParams: [undefined],
  };
  const changed = {
    pages: [
      {
        items: [
          { id: 2, state: "queued" },
          { id: 3, state: "completed" },
        ],
      },
    ],
    pageParams: [undefined],
  };
  expect(mended(list, event)).toEqual(changed);
  expect(mended({ id: 3, state: "queued" }, event)).toEqual({ id: 3, state: "completed" });
  const other = { id: 4, state: "queued" };
  expect(mended(other, event)).toBe(other);
});

test("activities of another kind keep their state, whatever their number", () => {
  const restore = { id: 3, kind: "restore", vault_id: "v", state: "queued" };
  expect(mended(restore, event)).toBe(restore);
});
