// A real OpenSSH server on loopback, for a backend that is a single host.
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "./port";
import { run } from "./process";
import { until } from "./until";

const SSHD = "/usr/sbin/sshd";

export class Sshd {
  private constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  /** Whether there is one to be started. In CI there has to be. */
  static isThere(): boolean {
    if (!existsSync(SSHD) && process.env.CI) throw new Error(`${SSHD} is missing`);
    return existsSync(SSHD);
  }

  static async start(): Promise<Sshd> {
    const folder = mkdtempSync(join(tmpdir(), "roadstead-sshd-"));
    for (const name of ["host", "client"]) {
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
    }
    copyFileSync(join(folder, "client.pub"), join(folder, "authorized_keys"));
    mkdirSync(join(folder, "home"));
    // Where a privileged sshd locks its children in; the package makes it when the service starts.
    if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
    const port = await freePort();
    const options = [
      // Two addresses, so that one can be two machines.
      `ListenAddress=127.0.0.1:${port}`,
      `ListenAddress=127.0.0.2:${port}`,
      `AuthorizedKeysFile=${join(folder, "authorized_keys")} ${join(folder, "home/.ssh/authorized_keys")}`,
      // A probe is a shell that reads its script; nothing else is let through. What it writes at home stays here.
      `ForceCommand=HOME=${join(folder, "home")} exec sh`,
      "PidFile=none",
      "StrictModes=no",
      "UsePAM=no",
      "PermitRootLogin=yes",
      "PasswordAuthentication=no",
      "KbdInteractiveAuthentication=no",
    ].flatMap((option) => ["-o", option]);
    const child = spawn(SSHD, [
      "-D",
      "-f",
      "/dev/null",
      "-E",
      join(folder, "log"),
      "-h",
      join(folder, "host"),
      ...options,
    ]);
    await until("sshd takes connections", () => answers(port), Boolean);
    return new Sshd(folder, port, child);
  }

  /** The user that it lets in. */
  get user(): string {
    return userInfo().username;
  }

  /** The private key that it takes. */
  get key(): string {
    return readFileSync(join(this.folder, "client"), "utf8");
  }

  /** The keys that it was told to let in, in its user's own home. */
  get letIn(): string {
    const file = join(this.folder, "home/.ssh/authorized_keys");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  end(): void {
    this.child.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((told) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      told(true);
    });
    socket.on("error", () => told(false));
  });
}
