// A Docker engine as a backend: its containers are seen, driven, and run commands without any login.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { Dockerd } from "./support/dockerd";
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

test.runIf(Dockerd.isThere())("a Docker host is added, a container of it stopped, started and asked", async () => {
  const engine = await Dockerd.start();
  try {
    await engine.container("ship");
    const visit = await Visit.begin(browser, server);
    const { page } = visit;
    await visit.as(server, "/backends/add");
    await page.getByRole("combobox", { name: "Provider" }).fill("Docker");
    await page.getByRole("option", { name: /Docker/ }).first().click();
    await page.getByLabel("Name").fill("harbour");
    await page.getByLabel("Docker host").fill(`tcp://127.0.0.1:${engine.port}`);
    await page.getByRole("button", { name: "Connect and add" }).click();
    await page.getByRole("heading", { level: 1, name: "harbour" }).waitFor();

    await page.getByRole("link", { name: "Its machines" }).click();
    await page.getByRole("row", { name: /ship.*Running/ }).getByRole("link", { name: "ship" }).click();
    await page.getByRole("heading", { level: 1, name: "ship" }).waitFor();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
    expect(await engine.cli("inspect", "--format", "{{.State.Status}}", "ship")).toBe("running\n");

    await page.goto("/machines");
    await page.getByRole("checkbox", { name: "Choose ship", exact: true }).check();
    await page.getByRole("link", { name: "Run a command" }).click();
    await page.getByRole("textbox", { name: "Command" }).fill("echo from $(hostname)");
    await page.getByRole("button", { name: "Run it" }).click();
    const name = (await engine.cli("inspect", "--format", "{{.Config.Hostname}}", "ship")).trim();
    await page.getByRole("region", { name: "What was printed" }).getByText(`from ${name}`).waitFor();
    await visit.end();
  } finally {
    await engine.end();
  }
});
