// What was lost is made anew: a machine from a backup, on any backend, after the plan.
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { write } from "./support/files";
import { Program } from "./support/process";
import { ROADSTEAD, Server } from "./support/server";

let server: Server;
let browser: Browser;
let cloud: Program;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
  await cloud?.end();
});

test("a lost machine is ordered anew from its backup, once the plan was seen", async () => {
  cloud = Program.start(join(ROADSTEAD, "../examples/fake_cloud"), ["3", "100", "0", "1"]);
  const [endpoint, token] = (await cloud.says(/(http:\/\/\S+ \S+)\n/)).split(" ");
  const fields = { token, endpoint };
  await server.api("POST", "/backends", { provider: "digitalocean", title: "ocean", fields });
  await server.api("POST", "/keys", { name: "fleet", generate: "ed25519" });
  await server.agent("harbour");
  const { items: agents } = await server.api<{ items: { id: number }[] }>("GET", "/agents");
  const folder = join(server.folder, "letters");
  write(folder, { "one.txt": "one" });
  const body = { name: "letters", agent_id: agents[0]?.id, inclusions: [folder] };
  const { id: configuration } = await server.api<{ id: number }>("POST", "/backup-configurations", body);
  const backup = await server.backUp(configuration);

  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, `/backups/${backup}`);
  await page.getByRole("link", { name: "Rebuild a machine" }).click();
  const choose = async (label: string, option: RegExp | string) => {
    await page.getByRole("combobox", { name: label }).click();
    await page.getByRole("option", { name: option }).first().click();
  };
  await choose("Backend", "ocean");
  await page.getByLabel("Name").fill("phoenix");
  await choose("Image", /Debian 12/);
  await choose("Size", /./);
  expect(await page.getByRole("button", { name: "Rebuild it" }).count()).toBe(0);
  await page.getByRole("button", { name: "Show the plan" }).click();
  await page.getByText("1 machine will be made").waitFor();
  await page.getByText("letters-1").first().waitFor();
  // What is asked for has changed: the plan is no longer that of it.
  await page.getByLabel("Files go under").fill("/back");
  await page.getByRole("button", { name: "Rebuild it" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Show the plan" }).click();
  await page.getByText("/back", { exact: true }).waitFor();
  const before = await server.api<{ machines: number }>("GET", "/machines/count");
  expect(before.machines).toBe(3);
  await page.getByRole("button", { name: "Rebuild it" }).click();
  await page.getByRole("region", { name: "The job", exact: true }).waitFor();
  await page.goto("/machines?search=phoenix");
  await page.getByRole("link", { name: "phoenix", exact: true }).waitFor();
  await visit.end();
});
