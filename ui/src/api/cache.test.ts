import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { Mender, mended } from "./cache";
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

test("a measurement has the series of its agent read again, once a new point is due", () => {
  const client = new QueryClient();
  const known = (agent_id: number, step_seconds: number, secondsAgo: number) => {
    const key = ["metric", { agent: agent_id }, step_seconds];
    const updatedAt = Date.now() - secondsAgo * 1000;
    client.setQueryData(key, { agent_id, step_seconds, points: [] }, { updatedAt });
    return () => client.getQueryState(key)?.isInvalidated;
  };
  const due = known(3, 10, 11);
  const fresh = known(3, 60, 11);
  const coarse = known(3, 3600, 61);
  const other = known(4, 10, 11);
  new Mender(client).take({ noun: "agent", id: "3", what: "measure", at: "2026-01-01T00:00:00Z" });
  expect([due(), fresh(), coarse(), other()]).toEqual([true, false, true, false]);
});
