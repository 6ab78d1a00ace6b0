// A machine is protected by clicks: an agent comes there by itself, and the first backup is made; and a shell on it.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { Server } from "./support/server";
import { Sshd } from "./support/sshd";
import { until } from "./support/until";

let server: Server;
let browser: Browser;
let folder: string | undefined;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});
afterAll(async () => {
  // The agent is no child of ours: it was started to outlive the login.
  const pid = folder && join(folder, "agent/agent.pid");
  if (pid && existsSync(pid)) process.kill(Number(readFileSync(pid, "utf8")));
  await browser?.close();
  await server?.end();
});

test.runIf(Sshd.isThere())("a machine is protected from the overview, and a shell opened on it", async () => {
  const sshd = await Sshd.start();
  const key = await server.api<{ id: string }>("POST", "/keys", { name: "way in", private_key: sshd.key });
  const fields = { machine_ip: "127.0.0.1", machine_port: sshd.port, machine_user: sshd.user, machine_key: key.id };
  await server.api("POST", "/backends", { provider: "bare_metal", title: "host", fields });
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server);
  folder = join(server.folder, "protected");
  await page.getByRole("button", { name: "Protect host" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("All in one folder").fill(folder);
  await dialog.getByRole("button", { name: "Plan anew" }).click();
  await dialog.getByText(`${folder}/`).first().waitFor();
  await dialog.getByLabel("Start the first backup at once").uncheck();
  await dialog.getByRole("button", { name: "Protect it" }).click();
  await page.getByRole("region", { name: "The job", exact: true }).getByText("Completed", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Its agent" }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
  const { items } = await server.api<{ items: { id: number }[] }>("GET", "/agents");
  expect(items).toHaveLength(1);

  await page.goto("/machines");
  await page.getByRole("link", { name: "host", exact: true }).click();
  await page.getByRole("link", { name: "Shell" }).click();
  const terminal = page.getByRole("region", { name: "Terminal" });
  await terminal.locator(".xterm-screen").waitFor();
  const proof = join(server.folder, "proof");
  await until("the shell takes what is typed", async () => {
    await terminal.getByRole("textbox").focus();
    await page.keyboard.type(`echo $((6 * 7)) > ${proof}\n`);
    return existsSync(proof) && readFileSync(proof, "utf8") === "42\n";
  }, Boolean);
  await page.keyboard.type("exit 3\n");
  await page.getByText("The shell has ended with status 3.").waitFor();

  // Another key is put on the machine, and taken off it again.
  await server.api("POST", "/keys", { name: "second", generate: "ed25519" });
  await page.goto("/machines");
  await page.getByRole("link", { name: "host", exact: true }).click();
  // What stands above has its height: what is opened before would close when it moves out of sight.
  await expect.poll(() => page.getByRole("region", { name: "How busy it is" }).locator("canvas").count()).toBe(6);
  const keys = page.getByRole("region", { name: "Keys" });
  await keys.getByRole("combobox", { name: "Key" }).click();
  await page.getByRole("option", { name: "second" }).click();
  await keys.getByLabel("User").fill(sshd.user);
  await keys.getByLabel("Address").fill("127.0.0.1");
  await keys.getByLabel("Port").fill(String(sshd.port));
  await keys.getByRole("button", { name: "Use this key" }).click();
  await keys.getByRole("button", { name: "Put on the machine" }).click();
  await page.getByText(/The machine lets the key in now/).waitFor();
  const { items: known } = await server.api<{ items: { name: string; public_key: string }[] }>("GET", "/keys");
  const half = known.find((one) => one.name === "second")?.public_key.split(" ")[1] ?? "none";
  expect(sshd.letIn).toContain(half);
  await keys.getByRole("button", { name: "Take off the machine" }).click();
  await page.getByText(/The machine lets the key in no more/).waitFor();
  expect(sshd.letIn).not.toContain(half);
  sshd.end();
  await visit.end();
});
