// Backups as they run, are stopped, looked into and taken from.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { write } from "./support/files";
import { Server } from "./support/server";
import { until } from "./support/until";

let server: Server;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  await server.agent("harbour");
  await server.agent("nobody", undefined, true);
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
});

async function configure(name: string, folder: string, agent = "harbour"): Promise<number> {
  const { items } = await server.api<{ items: { id: number; name: string }[] }>("GET", "/agents");
  const body = { name, agent_id: items.find((one) => one.name === agent)?.id, inclusions: [folder] };
  return (await server.api<{ id: number }>("POST", "/backup-configurations", body)).id;
}

async function backUp(name: string, folder: string, agent?: string): Promise<number> {
  return server.backUp(await configure(name, folder, agent));
}

test("a backup is browsed as a tree, and a file of it downloaded", async () => {
  const folder = join(server.folder, "tree");
  write(folder, { "deep/er/note.txt": "found", "<img src=x onerror=alert(1)>.txt": "tricky" });
  const id = await backUp("tree", folder);
  const visit = await Visit.begin(browser, server);
  await visit.as(server, `/backups/${id}/files`);
  const { page } = visit;
  let path = "";
  for (const part of `${folder}/deep/er`.split("/").filter(Boolean)) {
    path += `/${part}`;
    await page.getByRole("button", { name: `Open ${path}`, exact: true }).click();
  }
  await page.getByText("<img src=x onerror=alert(1)>.txt").waitFor();
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: `Download ${path}/note.txt` }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toBe("note.txt");
  expect(readFileSync(await download.path(), "utf8")).toBe("found");
  await visit.end();
});

test("a running backup shows how far it is, and is stopped", async () => {
  const folder = join(server.folder, "large");
  // So much that cannot be packed smaller that there is time to stop it.
  mkdirSync(folder);
  for (let number = 0; number < 64; number += 1)
    writeFileSync(join(folder, `noise-${number}`), randomBytes(16 << 20));
  const id = await configure("large", folder);
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, `/configurations/${id}`);
  await page.getByRole("button", { name: "Start a backup" }).click();
  await page.getByRole("progressbar").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Cancelled", { exact: true }).first().waitFor();
  await visit.end();
});

test("ten thousand errors of a report are scrolled and searched", async () => {
  const folder = join(server.folder, "unreadable");
  const files = Array.from({ length: 10_000 }, (_, number) => [`secret-${String(number).padStart(5, "0")}`, ""]);
  write(folder, Object.fromEntries(files));
  for (const [name] of files) chmodSync(join(folder, name ?? ""), 0);
  const id = await backUp("unreadable", folder, "nobody");
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, `/backups/${id}`);
  await page.getByRole("heading", { name: "10,000 errors" }).waitFor();
  const table = page.getByRole("table", { name: "Errors" });
  await table.getByRole("row").nth(1).waitFor();
  expect(await table.getByRole("row").count()).toBeLessThan(100);
  // The report has the first of them; the last is on the last page.
  interface Errors {
    items: { path: string }[];
    next?: string;
  }
  let kept: Errors = { items: [], next: "0" };
  let many = 0;
  while (kept.next) {
    kept = await server.api<Errors>("GET", `/backups/${id}/errors?limit=1000&cursor=${kept.next}`);
    many += kept.items.length;
  }
  expect(many).toBe(10_000);
  const last = kept.items.at(-1)?.path ?? "";
  await page.getByLabel("Search the errors").fill(last);
  await expect.poll(() => table.getByRole("row").count()).toBe(2);
  await table.getByText(last).waitFor();
  // Searching has read them all.
  await page.getByLabel("Search the errors").fill("");
  await expect.poll(() => table.getAttribute("aria-rowcount")).toBe("10001");
  await visit.end();
});

test("what went wrong is started again from the overview, and needs nobody once it went well", async () => {
  const folder = join(server.folder, "late");
  const configuration = await configure("late", folder);
  const { id } = await server.api<{ id: number }>("POST", "/backups", { configuration_id: configuration });
  const state = async () => (await server.api<{ state: string }>("GET", `/backups/${id}`)).state;
  await until("the backup of nothing has ended", state, (now) => now === "failed" || now === "completed_with_errors");
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server);
  const trouble = page.getByRole("region", { name: "Needs somebody" }).locator(".trouble").filter({ hasText: "late-" });
  await trouble.getByRole("link", { name: "late-1" }).waitFor();
  write(folder, { "here.txt": "at last" });
  await trouble.getByRole("button", { name: "Start again" }).click();
  await page.getByRole("heading", { level: 1, name: "late-2" }).waitFor();
  await page.getByText("Completed", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Overview", exact: true }).click();
  await page.getByRole("region", { name: "The last 24 hours" }).getByRole("link", { name: /^late-2/ }).waitFor();
  await expect.poll(() => trouble.count()).toBe(0);
  await visit.end();
});
