// Output is shown up to a size that a browser draws at once; the oldest goes.
import type { CommandOutput } from "../../api/schema";

/** In characters. */
export const MOST_SHOWN = 300_000;

/** The newest pieces that fit, and whether any had to go. */
export function keepNewest(
  pieces: CommandOutput[],
  cut: boolean,
  most = MOST_SHOWN,
): { pieces: CommandOutput[]; cut: boolean } {
  let size = 0;
  let first = pieces.length;
  while (first > 0) {
    size += pieces[first - 1]?.text.length ?? 0;
    if (size > most) break;
    first -= 1;
  }
  return { pieces: pieces.slice(first), cut: cut || first > 0 };
}

/** Pieces that follow one another from the same machine and stream, as one. */
export function joined(pieces: CommandOutput[]): CommandOutput[] {
  const blocks: CommandOutput[] = [];
  for (const piece of pieces) {
    const last = blocks.at(-1);
    if (last && last.machine_id === piece.machine_id && last.stream === piece.stream) {
      blocks[blocks.length - 1] = { ...last, text: last.text + piece.text };
    } else {
      blocks.push(piece);
    }
  }
  return blocks;
}
