// The editor of a configuration: databases, and how fast a backup may send.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { Server } from "./support/server";

interface Configuration {
  id: number;
  inclusions: string[];
  options: { dumps?: unknown[]; bandwidth?: unknown[] };
}

let server: Server;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  await server.agent("harbour");
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
});

async function kept(): Promise<Configuration | undefined> {
  const { items } = await server.api<{ items: Configuration[] }>("GET", "/backup-configurations");
  return items[0];
}

test("databases, what a command prints and limits by the time of day are set by clicks", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/configurations/create");
  await page.getByLabel("Name").fill("shop");
  await page.getByRole("combobox", { name: "Agent" }).click();
  await page.getByRole("option", { name: "harbour" }).click();
  const dump = (number: number) => page.getByRole("group", { name: `Dump ${number}` });
  const add = async (number: number, kind: string) => {
    await page.getByRole("button", { name: "Add a database" }).click();
    await dump(number).getByRole("combobox", { name: "Kind" }).click();
    await page.getByRole("option", { name: kind }).click();
  };
  await add(1, "MySQL or MariaDB");
  await dump(1).getByRole("textbox", { name: "Database" }).fill("shop");
  await dump(1).getByText("/roadstead-dumps/mysql/shop.sql").waitFor();
  await add(2, "SQLite");
  await dump(2).getByRole("textbox", { name: "File of the database" }).fill("app.db");
  await dump(2).getByRole("alert").waitFor();
  await add(3, "What a command prints");
  await dump(3).getByRole("textbox", { name: "Name of its file" }).fill("packages");
  await dump(3).getByRole("textbox", { name: "Command" }).fill("dpkg -l");
  await page.getByRole("button", { name: "Add a limit" }).click();
  const limit = page.getByRole("group", { name: "Limit 1" });
  await limit.getByLabel("From").fill("22:00");
  await limit.getByLabel("Until").fill("06:30");
  await limit.getByRole("textbox", { name: "MiB a second" }).fill("1.5");
  await limit.getByText("From 22:00 until 06:30 of the next day, up to 1.5 MiB a second.").waitFor();

  // What would be refused is told, and not sent.
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("Dump 2: An absolute path").waitFor();
  expect(await kept()).toBeUndefined();
  await dump(2).getByRole("textbox", { name: "File of the database" }).fill("/srv/app.db");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("mysql:shop, sqlite:/srv/app.db, command:packages").waitFor();
  const made = await kept();
  expect(made?.inclusions).toEqual([]);
  expect(made?.options.dumps).toEqual([
    { kind: "mysql", database: "shop" },
    { kind: "sqlite", path: "/srv/app.db" },
    { kind: "command", name: "packages", command: "dpkg -l" },
  ]);
  expect(made?.options.bandwidth).toEqual([{ from: "22:00", until: "06:30", bytes_per_second: 1_572_864 }]);

  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("button", { name: "Take dump 2 away" }).click();
  await page.getByRole("button", { name: "Take limit 1 away" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("mysql:shop, command:packages").waitFor();
  expect((await kept())?.options.dumps).toHaveLength(2);
  expect((await kept())?.options.bandwidth ?? []).toEqual([]);
  await visit.end();
});
