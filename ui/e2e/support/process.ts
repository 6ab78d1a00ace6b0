// Programs that a test starts, and that end with it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export class Program {
  private said = "";

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (piece) => {
        this.said += piece;
      });
    }
  }

  /** Starts a program; what it says is kept. */
  static start(path: string, args: string[]): Program {
    return new Program(spawn(path, args, { stdio: ["pipe", "pipe", "pipe"] }));
  }

  /** Waits until it has said something of this form, and gives the first group of it. */
  async says(form: RegExp): Promise<string> {
    for (;;) {
      const found = form.exec(this.said)?.[1];
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new Error(`it ended instead: ${this.said}`);
      await Promise.race([
        this.child.stdout && once(this.child.stdout, "data"),
        this.child.stderr && once(this.child.stderr, "data"),
        once(this.child, "exit"),
      ]);
    }
  }

  /** Ends it, in good order. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await ended;
  }
}

/** Runs a program to its end, which must be a good one; gives what it printed. */
export async function run(path: string, args: string[]): Promise<string> {
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let complained = "";
  child.stdout.on("data", (piece) => {
    printed += piece;
  });
  child.stderr.on("data", (piece) => {
    complained += piece;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${path} ${args.join(" ")} ended with ${code}: ${complained}`);
  return printed;
}
