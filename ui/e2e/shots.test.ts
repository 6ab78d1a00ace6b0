// Every page in light and dark, wide and on a phone: pictures for people to look through, and axe finds nothing serious.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { write } from "./support/files";
import { Program } from "./support/process";
import { ROADSTEAD, Server } from "./support/server";
import { until } from "./support/until";

const FOLDER = process.env.ROADSTEAD_SCREENSHOTS ?? join(import.meta.dirname, "../../target/screenshots");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Each scheme and each width is looked at by axe once. */
const MODES = [
  { colorScheme: "light", viewport: { width: 1360, height: 860 }, asked: true },
  { colorScheme: "dark", viewport: { width: 1360, height: 860 }, asked: false },
  { colorScheme: "light", viewport: { width: 390, height: 844 }, asked: false },
  { colorScheme: "dark", viewport: { width: 390, height: 844 }, asked: true },
] as const;

let server: Server;
let browser: Browser;
let cloud: Program;
let pages: Record<string, string>;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  mkdirSync(FOLDER, { recursive: true });
  pages = await stage();
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
  await cloud?.end();
});

/** Something of everything, and the pages that show it. */
async function stage(): Promise<Record<string, string>> {
  cloud = Program.start(join(ROADSTEAD, "../examples/fake_cloud"), ["40", "40", "0", "1"]);
  const [endpoint, token] = (await cloud.says(/(http:\/\/\S+ \S+)\n/)).split(" ");
  const fields = { token, endpoint };
  const backend = await server.api<{ id: string }>("POST", "/backends", {
    provider: "digitalocean",
    title: "ocean",
    fields,
  });
  const machines = await server.api<{ items: { id: string }[] }>("GET", "/machines?limit=1");
  await server.api("POST", "/keys", { name: "fleet", generate: "ed25519" });
  await server.agent("harbour");
  const { items: agents } = await server.api<{ items: { id: number }[] }>("GET", "/agents");
  const folder = join(server.folder, "letters");
  write(folder, { "one.txt": "one", "more/two.txt": "two" });
  const body = {
    name: "letters",
    agent_id: agents[0]?.id,
    inclusions: [folder],
    schedule: "daily@03:00",
    retention: { keep_daily: 7 },
  };
  const configuration = await server.api<{ id: number }>("POST", "/backup-configurations", body);
  const backup = await ended("backups", { configuration_id: configuration.id });
  write(folder, { "one.txt": "one, but longer" });
  const later = await ended("backups", { configuration_id: configuration.id });
  const vaults = await server.api<{ items: { id: string }[] }>("GET", "/vaults");
  // No key of the machine's is known, so it fails there: that is to be seen, too.
  const order = { script: "uptime; df -h /", machine_ids: machines.items.map((one) => one.id) };
  const command = await server.api<{ id: number }>("POST", "/commands", order);
  const drill = await ended("vault-tasks", { kind: "drill" }, `/vaults/${vaults.items[0]?.id}/tasks`);
  const check = await ended("checks", { read_data: true }, `/vaults/${vaults.items[0]?.id}/checks`);
  const wanted = { backend_id: backend.id, name: "new", image: "debian-12-x64", size: "s-1vcpu-1gb", networks: [] };
  const job = await server.api<{ id: number }>("POST", "/machines", wanted);
  const restore = await ended("restores", { backup_id: backup, path: join(server.folder, "aside") });
  return {
    overview: "/",
    machines: "/machines",
    machine: `/machines/${machines.items[0]?.id}`,
    "machine-create": "/machines/create",
    shell: `/machines/${machines.items[0]?.id}/shell`,
    job: `/jobs/${job.id}`,
    rebuild: `/backups/${backup}/rebuild`,
    drill: `/vault-tasks/${drill}`,
    check: `/checks/${check}`,
    backends: "/backends",
    backend: `/backends/${backend.id}`,
    "backend-add": "/backends/add",
    commands: "/commands",
    command: `/commands/${command.id}`,
    "command-run": `/commands/run?machines=${machines.items[0]?.id}`,
    keys: "/keys",
    agents: "/agents",
    agent: `/agents/${agents[0]?.id}`,
    configurations: "/configurations",
    configuration: `/configurations/${configuration.id}`,
    "configuration-create": "/configurations/create",
    backups: "/backups",
    backup: `/backups/${backup}`,
    "backup-files": `/backups/${backup}/files`,
    "backup-compare": `/backups/${backup}/compare?with=${later}`,
    "files-found": `/find/${vaults.items[0]?.id}?pattern=*.txt`,
    restores: "/restores",
    restore: `/restores/${restore}`,
    activity: "/activity",
    alarms: "/alarms",
    audit: "/audit",
    settings: "/settings",
    "settings-api-keys": "/settings?tab=api-keys",
    "settings-sessions": "/settings?tab=sessions",
    "settings-quotas": "/settings?tab=quotas",
    "settings-drills": "/settings?tab=drills",
    "settings-users": "/settings?tab=users",
    "settings-webhooks": "/settings?tab=webhooks",
    "settings-mail": "/settings?tab=mail",
    "settings-server": "/settings?tab=server",
    nothing: "/no/such/page",
  };
}

/** What is asked about in a window: the page, and the button that opens it. */
const WINDOWS: Record<string, [string, string]> = {
  protect: ["/", "Protect web-1"],
  enrol: ["/agents", "Enrol an agent"],
  "vault-cleanup": ["agent", "Cleanup plan"],
  "vault-copy": ["agent", "Copy"],
  "vault-repair": ["agent", "Repair"],
  "vault-seal": ["agent", "Seal it"],
  "agent-delete": ["agent", "Delete"],
  "machine-destroy": ["machine", "Destroy"],
  "user-add": ["/settings?tab=users", "Add a user"],
  "key-add": ["/keys", "Add a key"],
};

async function ended(noun: string, body: unknown, path = `/${noun}`): Promise<number> {
  const { id } = await server.api<{ id: number }>("POST", path, body);
  const state = async () => (await server.api<{ state: string }>("GET", `/${noun}/${id}`)).state;
  await until(`${noun} ${id} has completed`, state, (now) => now === "completed");
  return id;
}

/** What axe calls serious or critical, each with the first element that has it. */
async function serious(page: Page): Promise<string[]> {
  // The page's own policy lets no script in that is put there; the browser's debugger is above it.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: () => Promise<{ violations: Violation[] }> } };
    interface Violation {
      id: string;
      impact: string;
      nodes: { html: string }[];
    }
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0]?.html.slice(0, 200)}`);
  });
}

test.each(MODES)("every page, $colorScheme, $viewport.width wide", async ({ asked, ...mode }) => {
  const visit = await Visit.begin(browser, server, { ...mode, reducedMotion: "reduce" });
  const { page } = visit;
  const name = `${mode.colorScheme}-${mode.viewport.width < 500 ? "phone" : "wide"}`;
  const found: string[] = [];
  const look = async (of: string) => {
    await page.screenshot({ path: join(FOLDER, `${of}-${name}.png`) });
    if (asked) found.push(...(await serious(page)).map((problem) => `${of}: ${problem}`));
  };
  await page.goto("/");
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await look("sign-in");
  await page.getByLabel("User").fill(server.admin.username);
  await page.getByLabel("Password").first().fill(server.admin.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  const open = async (path: string) => {
    await page.goto(path);
    await page.locator("h1, [role=status]").first().waitFor();
    await settled(page);
  };
  for (const [of, path] of Object.entries(pages)) {
    await open(path);
    await look(of);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > mode.viewport.width) found.push(`${of}: is ${width} wide`);
  }
  for (const [of, [where, button]] of Object.entries(WINDOWS)) {
    await open(pages[where] ?? where);
    await page.getByRole("button", { name: button, exact: true }).first().click();
    await page.getByRole("dialog").waitFor();
    await settled(page);
    await look(of);
  }
  expect(found).toEqual([]);
  await visit.end();
});

/** Whatever the page still reads is there once nothing says that it is being read. */
async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.getByLabel(/^(Reading|Loading|Making)/).count()).toBe(0);
}

/** Pages of which an observer is told that they are for others. */
const FOR_OTHERS = new Set([
  ...["commands", "command", "command-run", "shell", "audit"],
  ...["machine-create", "backend-add", "configuration-create", "rebuild"],
]);
/** What only those may do who make, change or delete. */
const DEEDS =
  /^(Add|Create|New|Edit|Delete|Disable|Enable|Start|Stop|Destroy|Reboot|Resize|Rename|Shell|Protect|Enrol|Copy|Repair|Seal|Give|Password|Check|Restore|Rebuild|Run|Save|Put|Take|Use this|I know|Refresh|Set|Clean up|Cancel|Show the plan|Make it|Choose)\b/;

test("an observer sees every page, and is offered and asks for nothing that is refused", async () => {
  const user = { username: "watcher", password: "a long enough password", role: "observer" };
  await server.api("POST", "/users", user);
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  const wrong: string[] = [];
  let of = "sign-in";
  page.on("response", (response) => {
    if (response.status() === 403 && !FOR_OTHERS.has(of)) wrong.push(`${of}: ${response.url()} is refused`);
  });
  await page.goto("/");
  await visit.signIn(user.username, user.password);
  for (const [name, path] of Object.entries(pages)) {
    of = name;
    await page.goto(path);
    await page.locator("h1, [role=status]").first().waitFor();
    await settled(page);
    if (FOR_OTHERS.has(name)) {
      await page.getByText("Your role may not see this").waitFor();
      continue;
    }
    // Whoever is signed in may have keys and sessions of their own.
    if (name === "settings-api-keys" || name === "settings-sessions" || name === "settings") continue;
    const offered = await page.locator("main").locator("button:visible, a:visible, input[type=checkbox]:visible").all();
    for (const one of offered) {
      const said = (await one.getAttribute("aria-label")) ?? (await one.innerText());
      if (DEEDS.test(said.trim())) wrong.push(`${name}: offers ${said}`);
    }
  }
  expect(wrong).toEqual([]);
  await visit.end();
});
