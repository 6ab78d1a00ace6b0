// Backends and machines: one that is a real host, and a cloud of fifty thousand.
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
import { Program } from "./support/process";
import { ROADSTEAD, Server } from "./support/server";
import { Sshd } from "./support/sshd";

const MACHINES = 50_000;
const HTML = '<img src=x onerror="document.title=1"><b>bold</b>';

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

test.runIf(Sshd.isThere())("a host is added by clicks, and deleted again", async () => {
  const sshd = await Sshd.start();
  await server.api("POST", "/keys", { name: "wrong", generate: "ed25519" });
  await server.api("POST", "/keys", { name: "right", private_key: sshd.key });
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/backends");
  await page.getByRole("link", { name: "Add a backend" }).first().click();
  await page.getByRole("combobox", { name: "Provider" }).fill("Other");
  await page.getByRole("option", { name: "Other Server" }).click();
  await page.getByLabel("Name").fill(HTML);
  await page.getByLabel("Machine ip").fill("127.0.0.1");
  await page.getByLabel("Machine port").fill(String(sshd.port));
  await page.getByLabel("Machine user").fill(sshd.user);
  const choose = async (key: string) => {
    await page.getByRole("combobox", { name: "Machine key" }).click();
    await page.getByRole("option", { name: key, exact: true }).click();
    await page.getByRole("button", { name: "Connect and add" }).click();
  };
  await choose("wrong");
  await page.getByText("It was not added").waitFor();
  await choose("right");
  await page.getByRole("heading", { level: 1, name: HTML }).waitFor();

  await page.getByRole("link", { name: "Its machines" }).click();
  await page
    .getByRole("row", { name: /Running/ })
    .getByRole("link")
    .click();
  await page.getByRole("heading", { level: 1, name: HTML }).waitFor();

  await page.getByRole("link", { name: "Backends", exact: true }).click();
  await page
    .getByRole("row", { name: /Online/ })
    .getByRole("link")
    .click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const really = page.getByRole("button", { name: "Delete the backend" });
  expect(await really.isDisabled()).toBe(true);
  await page.getByRole("textbox", { name: /^Type / }).fill(HTML);
  await really.click();
  await page.getByText("No backends yet").waitFor();
  expect(await page.title()).not.toBe("1");
  sshd.end();
  await visit.end();
});

test("fifty thousand machines are scrolled and filtered", { timeout: 600_000 }, async () => {
  cloud = Program.start(join(ROADSTEAD, "../examples/fake_cloud"), [String(MACHINES), "1000", "0", "1"]);
  const [endpoint, token] = (await cloud.says(/(http:\/\/\S+ \S+)\n/)).split(" ");
  const { id } = await server.api<{ id: string }>("POST", "/backends", {
    provider: "digitalocean",
    title: "ocean",
    fields: { token, endpoint },
  });
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/machines");
  await page.getByText("50,000 machines on 1 backend.").waitFor();
  const table = page.getByRole("table", { name: "Machines" });
  await table.getByRole("link", { name: "web-1", exact: true }).waitFor();
  const shown = async () =>
    Number(
      (await page.getByText(/machines? (read so far|in all)/).innerText()).split(" ")[0]?.replace(",", ""),
    );
  // Scrolling reads on; only the rows in sight are drawn.
  for (const wanted of [1500, 3000, 6000]) {
    await expect
      .poll(
        async () => {
          await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
          return shown();
        },
        { timeout: 60_000, interval: 100 },
      )
      .toBeGreaterThanOrEqual(wanted);
    expect(await table.getByRole("row").count()).toBeLessThan(100);
  }
  await page.keyboard.press("/");
  await page.keyboard.type("web-49999");
  await expect.poll(shown).toBe(1);
  await table.getByRole("link", { name: "web-49999" }).waitFor();
  expect(page.url()).toContain(`search=web-49999`);
  await page.goto(`/machines?backend=${id}&state=stopped`);
  // One in all the fifty thousand is stopped.
  await table.getByRole("row", { name: /web-2 .*Stopped/ }).waitFor();
  await expect.poll(shown).toBe(1);
  expect(await table.getByRole("row", { name: /Running/ }).count()).toBe(0);
  await visit.end();
});

test("chosen machines are stopped together: first the plan, then how each one went", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/machines?search=web-123");
  for (const name of ["web-123", "web-1230", "web-1231"])
    await page.getByRole("checkbox", { name: `Choose ${name}`, exact: true }).check();
  const plan = page.getByRole("region", { name: "Chosen machines" });
  await plan.getByText("3 machines chosen").waitFor();
  await plan.getByRole("button", { name: "Reboot" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(/will be rebooted/).waitFor();
  await dialog.getByRole("button", { name: /^Reboot \d/ }).click();
  await dialog.getByText("Done").first().waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  // The server cannot log in to these: that is told of each one.
  await plan.getByRole("button", { name: "Protect" }).click();
  await dialog.getByText(/3 machines will get an agent/).waitFor();
  await dialog.getByRole("button", { name: "Protect 3 machines" }).click();
  await expect.poll(() => dialog.getByText(/No key is associated/).count()).toBe(3);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await visit.end();
});

test("a view is kept by the server, and is there in another browser", async () => {
  const first = await Visit.begin(browser, server);
  await first.as(server, "/machines?search=web-123&state=running");
  await first.page.getByRole("button", { name: "Views" }).click();
  await first.page.getByLabel("Name of the view").fill("the hundreds");
  await first.page.getByRole("button", { name: "Keep" }).click();
  await first.page.getByRole("menuitem", { name: "the hundreds" }).waitFor();
  await first.end();
  const other = await Visit.begin(browser, server);
  const { page } = other;
  await other.as(server, "/machines");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "the hundreds" }).click();
  await expect.poll(() => page.url()).toContain("search=web-123");
  expect(page.url()).toContain("state=running");
  await page.getByRole("button", { name: "Forget the view the hundreds" }).click();
  await page.getByRole("menuitem", { name: "the hundreds" }).waitFor({ state: "detached" });
  await other.end();
});
