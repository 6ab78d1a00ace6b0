import { expect, test } from "vitest";
import type { CommandOutput } from "../../api/schema";
import { joined, keepNewest } from "./newest";

const piece = (number: number, machine_id: string, text: string) =>
  ({ number, machine_id, stream: "stdout", text, at: "" }) as CommandOutput;

test("the oldest output goes where there is too much, and that is told", () => {
  const pieces = [piece(1, "a", "one"), piece(2, "a", "two"), piece(3, "a", "three")];
  expect(keepNewest(pieces, false, 8)).toEqual({ pieces: pieces.slice(1), cut: true });
  expect(keepNewest(pieces, false, 11)).toEqual({ pieces, cut: false });
});

test("what one machine says without a break is one block", () => {
  const pieces = [piece(1, "a", "one "), piece(2, "a", "two"), piece(3, "b", "three"), piece(4, "a", "four")];
  expect(joined(pieces).map((block) => block.text)).toEqual(["one two", "three", "four"]);
});
