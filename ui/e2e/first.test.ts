// From the first start to the first verified restore, by clicks only.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { write } from "./support/files";
import { Server } from "./support/server";

let server: Server;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
});

test("from the first start to the first verified restore", async () => {
  const source = join(server.folder, "source");
  const aside = join(server.folder, "aside");
  write(source, {
    "letters/one.txt": "Dear reader",
    "letters/two.txt": "Yours",
    "picture.bin": Buffer.alloc(300_000, 7),
  });
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server);
  const steps = page.getByRole("region", { name: "First steps" });
  await steps.getByText("Change the first password").waitFor();

  // The master key is shown once, to be kept elsewhere.
  await steps.getByRole("button", { name: "Show the master key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Show it" }).click();
  const key = readFileSync(join(server.folder, "server/master.key"), "utf8").trim();
  await dialog.getByText(key).waitFor();
  expect(await dialog.getByRole("button", { name: "Close" }).last().isDisabled()).toBe(true);
  await dialog.getByLabel("I have kept it").check();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await steps.getByRole("button", { name: "Show the master key" }).waitFor({ state: "detached" });
  await steps.getByLabel("Done").first().waitFor();
  await page.goto("/settings?tab=server");
  await page.getByText("SQLite, in a file of the data folder").waitFor();
  await page.getByText(/to be kept elsewhere/).waitFor();
  await page.goto("/");

  // The line that the page shows is what enrols the agent.
  await page.getByRole("button", { name: "Enrol an agent" }).click();
  const line = await page.getByText(/roadstead agent enroll --server/).innerText();
  const token = /--token (\S+)/.exec(line)?.[1];
  expect(line).toContain(server.url);
  await server.agent("harbour", token);
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Agents and vaults" }).click();
  await page.getByRole("row", { name: /harbour.*Connected/ }).waitFor();

  await page.getByRole("link", { name: "Configurations", exact: true }).click();
  await page.getByRole("link", { name: "New configuration" }).click();
  await page.getByLabel("Name").fill("letters");
  await page.getByRole("combobox", { name: "Agent" }).click();
  await page.getByRole("option", { name: "harbour" }).click();
  // The paths are chosen on the machine itself.
  await page.getByRole("button", { name: "Choose on the machine" }).click();
  const parts = source.split("/").slice(1);
  for (let depth = 1; depth < parts.length; depth += 1) {
    const folder = `/${parts.slice(0, depth).join("/")}`;
    await dialog.getByRole("button", { name: `Open ${folder}`, exact: true }).click();
  }
  await dialog.getByLabel(`Choose ${source}`, { exact: true }).check();
  await dialog.getByRole("button", { name: "Done" }).click();
  expect(await page.getByRole("textbox", { name: "Files and folders" }).inputValue()).toBe(source);
  await expect
    .poll(() => page.getByRole("list", { name: "The next five times" }).getByRole("listitem").count())
    .toBe(5);
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { level: 1, name: "letters" }).waitFor();

  await page.getByRole("button", { name: "Start a backup" }).click();
  await page.getByRole("heading", { level: 1, name: "letters-1" }).waitFor();
  await page.getByText("Completed", { exact: true }).waitFor();

  await page.getByRole("button", { name: "Restore it" }).click();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("textbox", { name: "Folder" }).fill(aside);
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("button", { name: "See what it would do, file by file" }).click();
  await page.getByRole("region", { name: "What it would do" }).getByText("3 files, 293.0 KiB").waitFor();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByText("Everything was restored").waitFor();
  expect(readFileSync(join(aside, source, "letters/one.txt"), "utf8")).toBe("Dear reader");
  expect(readFileSync(join(aside, source, "picture.bin")).equals(Buffer.alloc(300_000, 7))).toBe(true);
  await visit.end();
});
