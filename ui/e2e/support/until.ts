// Waiting for what comes.
const STEP_MS = 50;
const LIMIT_MS = 60_000;

/** Asks again and again until the answer is the one that is waited for. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  isIt: (answer: T) => boolean,
): Promise<T> {
  const begun = Date.now();
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) return answer;
    if (Date.now() - begun > LIMIT_MS) throw new Error(`waited in vain until ${what}; it is ${answer}`);
    await new Promise((go) => setTimeout(go, STEP_MS));
  }
}
