// Does something with many things, some at a time, and tells how each one went.

/** How it stands with one thing. */
export type Standing = "waiting" | "going" | "done" | { failed: string };

const AT_ONCE = 6;

export async function eachOf<T>(
  things: T[],
  act: (thing: T) => Promise<unknown>,
  tell: (thing: T, standing: Standing) => void,
): Promise<void> {
  const left = [...things];
  const worker = async () => {
    for (let thing = left.shift(); thing !== undefined; thing = left.shift()) {
      tell(thing, "going");
      try {
        await act(thing);
        tell(thing, "done");
      } catch (error) {
        tell(thing, { failed: error instanceof Error ? error.message : String(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
