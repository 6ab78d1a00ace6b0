// A real server with its own data folder, and real agents for it.
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program, run } from "./process";
import { until } from "./until";

/** The binary with the page in it. */
export const ROADSTEAD =
  process.env.ROADSTEAD_BIN ?? join(import.meta.dirname, "../../../target/debug/roadstead");

/** Debian's user without rights. */
const NOBODY = 65534;

export interface Admin {
  username: string;
  password: string;
  api_key: string;
}

export class Server {
  private readonly agents: Program[] = [];

  private constructor(
    readonly folder: string,
    readonly url: string,
    readonly admin: Admin,
    private program: Program,
  ) {}

  /** Starts one in a new folder; with what its configuration file says, in TOML. */
  static async start(settings = ""): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), "roadstead-page-"));
    writeFileSync(join(folder, "server.toml"), settings.replaceAll("FOLDER", folder));
    const program = Server.run(folder, "127.0.0.1:0");
    const url = await program.says(/listening on (http:\/\/\S+)/);
    const admin = JSON.parse(readFileSync(join(folder, "server/admin.json"), "utf8"));
    return new Server(folder, url, admin, program);
  }

  private static run(folder: string, address: string): Program {
    const at = (name: string) => join(folder, name);
    return Program.start(ROADSTEAD, [
      "server",
      ...["--config", at("server.toml"), "--data-dir", at("server"), "--listen", address],
    ]);
  }

  /** Ends the server, and starts it again where it was. */
  async stop(): Promise<void> {
    await this.program.end();
  }

  async startAgain(): Promise<void> {
    this.program = Server.run(this.folder, this.url.replace("http://", ""));
    await this.program.says(/listening on (http:\/\/\S+)/);
  }

  /** Asks the API beside the page, to set a stage or to see what the page did. */
  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers = { authorization: `Bearer ${this.admin.api_key}`, "content-type": "application/json" };
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers,
      body: body ? JSON.stringify(body) : undefined,
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? (undefined as T) : response.json();
  }

  /** Starts a backup, and gives its id once it has completed. */
  async backUp(configuration: number): Promise<number> {
    const { id } = await this.api<{ id: number }>("POST", "/backups", { configuration_id: configuration });
    const state = async () => (await this.api<{ state: string }>("GET", `/backups/${id}`)).state;
    await until(`backup ${id} has completed`, state, (now) => now.startsWith("completed"));
    return id;
  }

  /** Enrols an agent with a token, and runs it; as a user who may not read everything, where that is asked for. */
  async agent(name: string, token?: string, humble = false): Promise<void> {
    const given = token ?? (await this.api<{ token: string }>("POST", "/agents/tokens", {})).token;
    const folder = join(this.folder, name);
    await run(ROADSTEAD, [
      "agent",
      "enroll",
      "--server",
      this.url,
      "--token",
      given,
      "--data-dir",
      folder,
      "--name",
      name,
    ]);
    const command = ["agent", "run", "--data-dir", folder];
    this.agents.push(humble ? this.startHumbly(folder, command) : Program.start(ROADSTEAD, command));
  }

  /** Starts our own program as nobody, if this is root. */
  private startHumbly(folder: string, command: string[]): Program {
    if (process.getuid?.() !== 0) return Program.start(ROADSTEAD, command);
    const program = join(this.folder, "roadstead");
    copyFileSync(ROADSTEAD, program);
    chmodSync(this.folder, 0o755);
    for (const path of [
      folder,
      ...readdirSync(folder, { recursive: true, encoding: "utf8" }).map((one) => join(folder, one)),
    ]) {
      chownSync(path, NOBODY, NOBODY);
    }
    return Program.start("setpriv", [
      `--reuid=${NOBODY}`,
      `--regid=${NOBODY}`,
      "--clear-groups",
      program,
      ...command,
    ]);
  }

  async end(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.end()));
    await this.program.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
