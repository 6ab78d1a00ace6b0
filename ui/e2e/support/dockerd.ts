// Docker's own engine, with everything that it keeps in a folder of the test's: no bridge, no firewall, no registry.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./port";
import { run } from "./process";
import { until } from "./until";

const DOCKERD = "/usr/sbin/dockerd";
const BUSYBOX = "/bin/busybox";
const IMAGE = "roadstead/busybox:1";

export class Dockerd {
  private constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  /** Whether there is one to be started, which takes root. In CI there has to be. */
  static isThere(): boolean {
    const there = process.getuid?.() === 0 && [DOCKERD, BUSYBOX].every((path) => existsSync(path));
    if (!there && process.env.CI) throw new Error("dockerd or a static busybox is missing");
    return there;
  }

  static async start(): Promise<Dockerd> {
    const folder = mkdtempSync(join(tmpdir(), "roadstead-dockerd-"));
    const port = await freePort();
    const at = (name: string) => join(folder, name);
    const log = openSync(at("log"), "w");
    const options = [
      `--host=tcp://127.0.0.1:${port}`,
      `--host=unix://${at("docker.sock")}`,
      "--tls=false",
      ...["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid")],
      ...["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"],
      "--shutdown-timeout=1",
    ];
    const child = spawn(DOCKERD, options, { stdio: ["ignore", log, log] });
    const engine = new Dockerd(folder, port, child);
    await until("dockerd answers", () => engine.answers(), Boolean);
    await engine.makeImage();
    return engine;
  }

  /** Docker's own command line. */
  cli(...command: string[]): Promise<string> {
    return run("docker", ["--host", `unix://${join(this.folder, "docker.sock")}`, ...command]);
  }

  /** Starts a container that says that it is up, and ends when it is told to. */
  async container(name: string): Promise<void> {
    const script = "trap 'exit 0' TERM; echo up; while :; do sleep 1 & wait $!; done";
    await this.cli("run", "--detach", "--network=none", `--name=${name}`, IMAGE, "sh", "-c", script);
  }

  /** Ends it in good order, so that no helper of it stays behind. */
  async end(): Promise<void> {
    if (this.child.exitCode === null) {
      const ended = once(this.child, "exit");
      this.child.kill("SIGTERM");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async answers(): Promise<boolean> {
    if (this.child.exitCode !== null) throw new Error(`it ended: ${readFileSync(join(this.folder, "log"), "utf8")}`);
    return this.cli("version").then(
      () => true,
      () => false,
    );
  }

  /** There is no registry to fetch from: the image is made of Debian's static busybox. */
  private async makeImage(): Promise<void> {
    const bin = join(this.folder, "root/bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(BUSYBOX, join(bin, "busybox"));
    for (const name of ["sh", "sleep", "echo", "cat", "hostname"]) symlinkSync("busybox", join(bin, name));
    const archive = join(this.folder, "root.tar");
    await run("tar", ["-C", join(this.folder, "root"), "-cf", archive, "."]);
    await this.cli("import", archive, IMAGE);
  }
}
