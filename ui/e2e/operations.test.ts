// What is done with the fleet as a whole: commands on machines, whom to tell, and what a configuration may say.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { write } from "./support/files";
import { Server } from "./support/server";
import { Smtp } from "./support/smtp";
import { Sshd } from "./support/sshd";

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

test.runIf(Sshd.isThere())("a command is run on chosen machines, watched and cancelled", async () => {
  const sshd = await Sshd.start();
  const key = await server.api<{ id: string }>("POST", "/keys", { name: "way in", private_key: sshd.key });
  const hosts = { one: "127.0.0.1", two: "127.0.0.2" };
  for (const [title, machine_ip] of Object.entries(hosts)) {
    const fields = { machine_ip, machine_port: sshd.port, machine_user: sshd.user, machine_key: key.id };
    await server.api("POST", "/backends", { provider: "bare_metal", title, fields });
  }
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/machines");
  for (const name of ["one", "two"])
    await page.getByRole("checkbox", { name: `Choose ${name}`, exact: true }).check();
  await page.getByRole("link", { name: "Run a command" }).click();
  // A file that the test makes lets it go on: what was printed before is seen while it runs.
  const gate = join(server.folder, "gate");
  const script = `echo "<b>hello</b>"; echo oh no >&2; while ! test -e ${gate}; do sleep 0.1; done; echo went on`;
  await page.getByRole("textbox", { name: "Command" }).fill(script);
  await page.getByRole("button", { name: "Run it" }).click();
  const output = page.getByRole("region", { name: "What was printed" });
  await expect.poll(() => output.getByText("<b>hello</b>").count()).toBe(2);
  await expect.poll(() => output.getByText("oh no").count()).toBe(2);
  expect(await output.getByText("went on").count()).toBe(0);
  write(server.folder, { gate: "" });
  const machines = page.getByRole("table", { name: "Machines" });
  await expect.poll(() => machines.getByRole("row", { name: /Completed 0/ }).count()).toBe(2);
  await expect.poll(() => output.getByText("went on").count()).toBe(2);
  await page.getByRole("button", { name: "Only this: the output of two" }).click();
  await expect.poll(() => output.getByText("went on").count()).toBe(1);

  await page.getByRole("link", { name: "Run another there" }).click();
  await page.getByRole("textbox", { name: "Command" }).fill("echo begun; sleep 1000");
  await page.getByRole("button", { name: "Run it" }).click();
  await expect.poll(() => output.getByText("begun").count()).toBe(2);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect.poll(() => machines.getByRole("row", { name: /Cancelled/ }).count()).toBe(2);
  sshd.end();
  await visit.end();
});

test("a webhook is added, tested and deleted", async () => {
  const got: IncomingMessage[] = [];
  const hook: HttpServer = createServer((request, response) => {
    got.push(request);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(hook, "listening");
  const { port } = hook.address() as AddressInfo;
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/settings?tab=webhooks");
  await page.getByRole("button", { name: "Add a webhook" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("chat");
  await dialog.getByLabel("URL").fill(`http://127.0.0.1:${port}/secret-path`);
  await dialog.getByRole("button", { name: "Add it" }).click();
  await dialog.getByText("It is shown this once").waitFor();
  await page.keyboard.press("Escape");
  const row = page.getByRole("row", { name: /chat/ });
  expect(await row.innerText()).not.toContain("secret-path");
  await row.getByRole("button", { name: "Test chat" }).click();
  await page.getByText("The test was taken.").waitFor();
  expect(got[0]?.headers["roadstead-signature"]).toMatch(/^v1=[0-9a-f]{64}$/);
  hook.close();
  hook.closeAllConnections();
  await row.getByRole("button", { name: "Test chat" }).click();
  await page.getByText("The test was not taken").waitFor();
  await row.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete it" }).click();
  await page.getByText("No webhooks").waitFor();
  await visit.end();
});

test("mail is set up, and a test of it arrives", async () => {
  const smtp = await Smtp.start();
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/settings?tab=mail");
  await page.getByText("No mail is sent yet.").waitFor();
  await page.getByLabel("SMTP server").fill("127.0.0.1");
  await page.getByRole("combobox", { name: "Protected by" }).click();
  await page.getByRole("option", { name: "None" }).click();
  await page.getByLabel("Port").fill(String(smtp.port));
  await page.getByLabel("Mail comes from").fill("roadstead@example.com");
  await page.getByLabel("Alarms and the digest go to").fill("ops@example.com");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Nothing was sent with these settings yet.").waitFor();
  await page.getByLabel("Send a test to").fill("ann@example.com");
  await page.getByRole("button", { name: "Send a test mail" }).click();
  await page.getByText("The test was taken.").waitFor();
  expect(smtp.heard).toContain("RCPT TO:<ann@example.com>");
  await page.reload();
  await expect.poll(() => page.getByLabel("SMTP server").inputValue()).toBe("127.0.0.1");
  expect(await page.getByLabel("Alarms and the digest go to").inputValue()).toBe("ops@example.com");
  await smtp.end();
  await visit.end();
});

test("options, commands and a preview of the rules of a configuration", async () => {
  const folder = join(server.folder, "source");
  write(folder, { "keep.txt": "kept", "cache/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55", "cache/x": "" });
  const { items } = await server.api<{ items: { id: number }[] }>("GET", "/agents");
  const body = { name: "options", agent_id: items[0]?.id, inclusions: [folder], retention: { keep_last: 1 } };
  const { id } = await server.api<{ id: number }>("POST", "/backup-configurations", body);
  for (let run = 0; run < 2; run += 1) await server.backUp(id);
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, `/configurations/${id}`);
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("button", { name: "What would stay and go?" }).click();
  const preview = page.getByRole("region", { name: "What would stay and go" });
  // Nothing goes in its first days, whatever the rules say.
  await preview.getByText("2 backups would stay, 0 would go.").waitFor();
  await page.getByLabel("Leave out caches").check();
  await page.getByLabel("Leave out files larger than").fill("5");
  await page.getByLabel("Before it").fill("true");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("caches, files larger than 5.0 MiB").waitFor();
  const kept = await server.api<{ options: object }>("GET", `/backup-configurations/${id}`);
  expect(kept.options).toEqual({
    exclude_caches: true,
    exclude_larger_than: 5 * 1024 * 1024,
    hooks: { pre: { command: "true", timeout_seconds: 600 }, cancel_when_pre_fails: true },
  });
  await visit.end();
});

test("what can be undone is undone by a click, and a key is renamed and deleted after a word", async () => {
  await server.api("POST", "/keys", { name: "quay", generate: "ed25519" });
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/agents");
  await page.getByRole("link", { name: "harbour" }).click();
  await page.getByRole("button", { name: "Disable" }).click();
  const told = page.getByRole("alert").filter({ hasText: "It takes no new work" });
  await page.getByRole("button", { name: "Enable" }).waitFor();
  await told.getByRole("button", { name: "Undo" }).click();
  await page.getByText("It is as it was before.").waitFor();
  await page.getByRole("button", { name: "Disable" }).waitFor();
  const { items } = await server.api<{ items: { enabled: boolean }[] }>("GET", "/agents");
  expect(items[0]?.enabled).toBe(true);

  await page.goto("/keys");
  await page.getByRole("button", { name: "Actions for quay" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("New name").fill("pier");
  await dialog.getByRole("button", { name: "Rename it" }).click();
  await page.getByRole("button", { name: "Actions for pier" }).click();
  await page.getByRole("menuitem", { name: "Show the private half" }).click();
  expect(await dialog.getByText("OPENSSH PRIVATE KEY").count()).toBe(0);
  await dialog.getByRole("button", { name: "Show it" }).click();
  await dialog.getByText("OPENSSH PRIVATE KEY").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Actions for pier" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await dialog.getByRole("button", { name: "Delete the key" }).click();
  await page.getByRole("button", { name: "Actions for pier" }).waitFor({ state: "detached" });
  await visit.end();
});

test("the agent's log is read, and says more when it is told to", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/agents");
  await page.getByRole("link", { name: "harbour" }).click();
  // What stands above has its height: what is opened before would close when it moves out of sight.
  await expect.poll(() => page.getByRole("region", { name: "How busy it is" }).locator("canvas").count()).toBe(6);
  const log = page.getByRole("region", { name: "Log", exact: true });
  await log.getByRole("button", { name: "Read it" }).click();
  await log.getByText(/the link stands/).first().waitFor();
  await log.getByRole("combobox", { name: "How much it says" }).click();
  await page.getByRole("option", { name: "Also why" }).click();
  await page.getByText("It says so much until it starts anew.").waitFor();
  await log.getByRole("button", { name: "Read again" }).click();
  await expect.poll(() => log.getByRole("combobox", { name: "How much it says" }).inputValue()).toBe("Also why");
  await visit.end();
});
