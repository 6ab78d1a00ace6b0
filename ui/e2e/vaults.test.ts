// Agents and their vaults: found, compared, taken away as an archive, sealed, given away and deleted.
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { write } from "./support/files";
import { run } from "./support/process";
import { Server } from "./support/server";

interface Named {
  id: number;
  name: string;
}

let server: Server;
let browser: Browser;
let folder: string;
let configuration: number;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start("copy_targets = ['offsite=FOLDER/offsite']"), launch()]);
  await server.agent("harbour");
  folder = join(server.folder, "letters");
  write(folder, { "one.txt": "first", "deep/two.conf": "second" });
  const body = { name: "letters", agent_id: await agentOf("harbour"), inclusions: [folder] };
  configuration = (await server.api<Named>("POST", "/backup-configurations", body)).id;
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
});

async function agentOf(name: string): Promise<number | undefined> {
  const { items } = await server.api<{ items: Named[] }>("GET", "/agents");
  return items.find((one) => one.name === name)?.id;
}

/** Makes another of the first byte of the largest pack: a part of a file. */
function damage(data: string): void {
  const files = readdirSync(data, { recursive: true, encoding: "utf8" }).map((name) => join(data, name));
  const packs = files.filter((path) => statSync(path).isFile());
  const largest = packs.reduce((one, other) => (statSync(one).size >= statSync(other).size ? one : other));
  const bytes = readFileSync(largest);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  chmodSync(largest, 0o600);
  writeFileSync(largest, bytes);
}

async function visited(path: string): Promise<[Visit, Page]> {
  const visit = await Visit.begin(browser, server);
  await visit.as(server, path);
  return [visit, visit.page];
}

test("files are found in all backups, backups compared, and a folder taken away as an archive", async () => {
  const before = await server.backUp(configuration);
  write(folder, { "one.txt": "changed since", "new.txt": "new" });
  const after = await server.backUp(configuration);
  const [visit, page] = await visited(`/agents/${await agentOf("harbour")}`);
  await page.getByRole("link", { name: "Find files" }).click();
  await page.getByRole("searchbox", { name: "Name or path" }).fill("TWO.*");
  await page.getByRole("button", { name: "Find" }).click();
  const found = page.getByRole("table", { name: "Found files" });
  await expect.poll(() => found.getByRole("row", { name: /two\.conf/ }).count()).toBe(2);
  // What is looked for stands in the address.
  await page.reload();
  // Where it was found leads to its folder, open.
  await found.getByRole("link").first().click();
  await page.getByRole("heading", { level: 1, name: /^Files of/ }).waitFor();
  await page.getByRole("treeitem", { name: /two\.conf/ }).waitFor();

  await page.goto(`/backups/${before}`);
  await page.getByRole("link", { name: "Compare" }).click();
  await page.getByRole("combobox", { name: "With" }).click();
  await page.getByRole("option").first().click();
  const differences = page.getByRole("table", { name: "Differences" });
  await differences.getByRole("row", { name: /Content .*one\.txt/ }).waitFor();
  await differences.getByRole("row", { name: /Added .*new\.txt/ }).waitFor();
  expect(await differences.getByRole("row", { name: /two\.conf/ }).count()).toBe(0);

  await page.goto(`/backups/${after}/files?open=${encodeURIComponent(join(folder, "deep/x"))}`);
  await page.getByRole("button", { name: `Download ${folder}`, exact: true }).click();
  const coming = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: /As tar/ }).click();
  const archive = await (await coming).path();
  expect((await run("tar", ["--list", "-f", archive])).split("\n")).toContain("letters/deep/two.conf");
  await visit.end();
});

test("a drill proves that the backups come back, and when drills run is set", async () => {
  const [visit, page] = await visited(`/agents/${await agentOf("harbour")}`);
  await page.getByRole("button", { name: "Restore drill" }).click();
  await page.getByRole("heading", { level: 1, name: "Drill" }).waitFor();
  await page.getByText("Completed", { exact: true }).waitFor();
  await page.getByText(/^3 files, /).waitFor();
  await page.goto("/activity");
  await page.getByRole("row", { name: /Drill.*Completed/ }).waitFor();
  await page.goto("/settings?tab=drills");
  await page.getByLabel("Files at the most").fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("It is kept.").waitFor();
  const kept = await server.api<{ files: number }>("GET", "/drill-settings");
  expect(kept.files).toBe(7);
  await visit.end();
});

test("a vault is copied into another, and to a place that the operator has named", async () => {
  await server.agent("mole");
  const [visit, page] = await visited(`/agents/${await agentOf("harbour")}`);
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await dialog.getByRole("combobox", { name: "The other vault" }).click();
  await page.getByRole("option", { name: /^mole/ }).click();
  await dialog.getByRole("button", { name: "Copy it" }).click();
  await page.getByRole("heading", { level: 1, name: "Copy" }).waitFor();
  await page.getByText("Completed", { exact: true }).waitFor();
  await page.getByText("2 backups", { exact: true }).waitFor();

  await page.goto(`/agents/${await agentOf("harbour")}`);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await dialog.getByText("To a place of the server").click();
  await dialog.getByRole("combobox", { name: "The place" }).click();
  await page.getByRole("option", { name: "offsite, a folder" }).click();
  await dialog.getByRole("checkbox", { name: /^Cut the files anew/ }).check();
  const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/tasks"));
  await dialog.getByRole("button", { name: "Copy it" }).click();
  expect((await asked).postDataJSON()).toEqual({ kind: "copy", to_target: "offsite", rechunk: true });
  await page.getByRole("heading", { level: 1, name: "Copy" }).waitFor();
  await page.getByText("Completed", { exact: true }).waitFor();
  expect(readdirSync(join(server.folder, "offsite"))).toHaveLength(1);
  await visit.end();
});

test("a check says what it looked at, and a cleanup what it forgot", async () => {
  const [visit, page] = await visited(`/agents/${await agentOf("harbour")}`);
  const fact = (name: string) => page.locator("dl > div").filter({ hasText: name }).locator("dd");
  await page.getByRole("button", { name: "Check all data" }).click();
  await page.getByRole("heading", { level: 1, name: /^Check \d+$/ }).waitFor();
  await page.getByText("Completed", { exact: true }).waitFor();
  await expect.poll(() => fact("Looked at").innerText()).toBe("Structure and data");
  expect(await fact("Backups").innerText()).toBe("2");
  await fact("Vault of").getByRole("link", { name: "harbour" }).click();
  await page.getByRole("button", { name: "Cleanup plan" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Clean up now" }).click();
  await page.getByRole("heading", { level: 1, name: /^Cleanup \d+$/ }).waitFor();
  await page.getByText("Completed", { exact: true }).waitFor();
  await expect.poll(() => fact("Kept").innerText()).toBe("2 backups");
  await page.goto("/activity");
  await page.getByRole("row", { name: /Cleanup.*Completed/ }).getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: /^Cleanup \d+$/ }).waitFor();
  await visit.end();
});

test("what stands beside the vault's facts tells that it cannot be read, and is read again", async () => {
  const [visit, page] = await visited("/agents");
  let broken = true;
  const problem = { type: "internal", title: "It broke", status: 500, detail: "The disk is on fire." };
  for (const part of ["trash", "growth?*", "tasks?*"])
    await page.route(`**/api/v1/vaults/*/${part}`, (route) =>
      broken ? route.fulfill({ status: 500, json: problem }) : route.continue(),
    );
  await page.getByRole("link", { name: "harbour" }).click();
  const vault = page.getByRole("region", { name: "Vault", exact: true });
  for (const what of ["The trash", "How it has grown", "Its tasks"])
    await vault.getByText(`${what} could not be read: The disk is on fire.`).waitFor();
  broken = false;
  const again = vault.getByRole("button", { name: "Try again" });
  await again.first().click();
  // An event of the server may have had the others read again.
  await expect
    .poll(async () => {
      for (const button of await again.all()) await button.click({ timeout: 1000 }).catch(() => undefined);
      return again.count();
    })
    .toBe(0);
  await vault.getByText("Managed").waitFor();
  await visit.end();
});

test("how the vault has grown is drawn", async () => {
  const [visit, page] = await visited("/agents");
  // It is measured once a day: the days before are put into the server's own answer.
  await page.route("**/api/v1/vaults/*/growth?*", async (route) => {
    const response = await route.fetch();
    const growth = await response.json();
    const newest = growth.days.at(-1) ?? { day: "2026-01-30", size_bytes: 0, snapshot_count: 0 };
    const before = (days: number) => new Date(Date.parse(newest.day) - days * 86_400_000).toISOString().slice(0, 10);
    const days = [20, 10, 0].map((days) => ({ ...newest, day: before(days), size_bytes: (30 - days) * 1024 * 1024 }));
    await route.fulfill({ response, json: { ...growth, days } });
  });
  await page.getByRole("link", { name: "harbour" }).click();
  const chart = page.getByRole("figure", { name: "Size over time: Size 30.0 MiB" });
  await chart.locator("canvas").waitFor();
  await visit.end();
});

test("a damaged vault is repaired by clicks, after what would be done was told", async () => {
  await server.agent("wreck");
  const source = join(server.folder, "wreck-source");
  write(source, { "one.txt": "one", "two.txt": "two" });
  const body = { name: "wreck", agent_id: await agentOf("wreck"), inclusions: [source] };
  await server.backUp((await server.api<Named>("POST", "/backup-configurations", body)).id);
  const agent = await server.api<{ vault_id: string }>("GET", `/agents/${await agentOf("wreck")}`);
  damage(join(server.folder, "server/vaults", agent.vault_id, "data"));
  const [visit, page] = await visited(`/agents/${await agentOf("wreck")}`);
  await page.getByRole("button", { name: "Repair", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "See what it would do" }).click();
  await page.getByText("It changed nothing").waitFor();
  const fact = (name: string) => page.locator("dl > div").filter({ hasText: name }).locator("dd");
  await expect.poll(() => fact("Damaged packs").innerText()).not.toBe("0");
  await page.getByRole("region", { name: "What is lost or did not come back" }).waitFor();
  await page.getByRole("button", { name: "Repair the vault" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Repair it" }).click();
  await page.getByText("It changed nothing").waitFor({ state: "detached" });
  await page.getByText(/^Completed/).waitFor();
  await expect.poll(() => fact("Damaged packs").innerText()).not.toBe("0");
  // Another plan finds nothing more.
  await page.goto(`/agents/${await agentOf("wreck")}`);
  await page.getByRole("button", { name: "Repair", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "See what it would do" }).click();
  await page.getByText("Nothing is damaged, so there is nothing to repair.").waitFor();
  await visit.end();
});

test("a vault is sealed with a password that the server never learns, and the password changed", async () => {
  const [visit, page] = await visited(`/agents/${await agentOf("harbour")}`);
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.postData() ?? ""));
  await page.getByRole("button", { name: "Seal it" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Browsing, finding, comparing and downloading").waitFor();
  await dialog.getByLabel("The new password").fill("correct horse battery");
  await dialog.getByLabel("The same again").fill("correct horse battery");
  expect(await dialog.getByRole("button", { name: "Seal it" }).isDisabled()).toBe(true);
  await dialog.getByLabel(/I keep the password/).check();
  await dialog.getByRole("button", { name: "Seal it" }).click();

  await dialog.getByText("The vault is sealed.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await page.getByText("Only the agent and its user hold the password.").waitFor();
  // The vault before is listed, to be read or deleted.
  await page.getByRole("region", { name: "Vaults that are only read" }).getByText(/2 backups/).waitFor();
  expect(await page.getByRole("button", { name: "Cleanup plan" }).count()).toBe(0);

  const id = await server.backUp(configuration);
  await page.getByRole("button", { name: "Change the password" }).click();
  await dialog.getByLabel("The password until now").fill("correct horse battery");
  await dialog.getByLabel("The new password").fill("staple instead");
  await dialog.getByLabel("The same again").fill("staple instead");
  await dialog.getByRole("button", { name: "Change it" }).click();
  await dialog.getByText("The password was changed.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  expect(sent.join()).not.toContain("horse");
  await page.goto(`/backups/${id}`);
  await page.getByRole("button", { name: "Restore it" }).waitFor();
  expect(await page.getByRole("link", { name: "Browse its files" }).count()).toBe(0);
  await visit.end();
});

test("the sealed vault is given to another agent, which restores with its password; the old agent is deleted", async () => {
  await server.agent("quay");
  const [visit, page] = await visited(`/agents/${await agentOf("harbour")}`);
  await page.getByRole("button", { name: "Give it to another agent" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "The other agent" }).click();
  await page.getByRole("option", { name: "quay" }).click();
  await dialog.getByLabel("The vault's password").fill("staple instead");
  await dialog.getByRole("button", { name: "Give it away" }).click();
  await page.getByRole("heading", { level: 1, name: "quay" }).waitFor();
  await page.getByRole("table", { name: "Configurations" }).getByRole("link", { name: "letters" }).waitFor();
  const { items } = await server.api<{ items: Named[] }>("GET", "/backups?restorable=true&limit=1");
  const aside = join(server.folder, "aside");
  const order = { backup_id: items[0]?.id, agent_id: await agentOf("quay"), path: aside };
  const restore = await server.api<Named>("POST", "/restores", order);
  await page.goto(`/restores/${restore.id}`);
  await page.getByText("Everything was restored").waitFor();
  expect(readFileSync(join(aside, folder, "new.txt"), "utf8")).toBe("new");

  await page.goto(`/agents/${await agentOf("harbour")}`);
  await page.getByRole("button", { name: "Delete", exact: true }).first().click();
  await dialog.getByText("The machine backs up no more").waitFor();
  await dialog.getByLabel(/Is deleted, with/).check();
  await dialog.getByLabel("Type harbour to go on").fill("harbour");
  await dialog.getByRole("button", { name: "Delete the agent" }).click();
  await page.getByRole("row", { name: /quay/ }).waitFor();
  expect(await page.getByRole("row", { name: /harbour/ }).count()).toBe(0);
  await visit.end();
});

test("the machine's measurements are drawn", async () => {
  const [visit, page] = await visited(`/agents/${await agentOf("quay")}`);
  const busy = page.getByRole("region", { name: "How busy it is" });
  await busy.getByRole("figure", { name: /^Processors: Used \d+ %/ }).waitFor();
  await busy.locator("canvas").first().waitFor();
  await visit.end();
});
