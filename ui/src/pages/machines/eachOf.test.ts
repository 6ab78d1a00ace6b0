import { expect, test } from "vitest";
import { eachOf, type Standing } from "./eachOf";

test("one that fails keeps none of the others from its turn, and no more than six go at once", async () => {
  const told = new Map<number, Standing>();
  let going = 0;
  let most = 0;
  const things = Array.from({ length: 20 }, (_, index) => index);
  const act = async (thing: number) => {
    going += 1;
    most = Math.max(most, going);
    await Promise.resolve();
    going -= 1;
    if (thing === 3) throw new Error("refused");
  };
  await eachOf(things, act, (thing, standing) => told.set(thing, standing));
  expect(told.get(3)).toEqual({ failed: "refused" });
  expect([...told.values()].filter((standing) => standing === "done")).toHaveLength(19);
  expect(most).toBe(6);
});
