// Getting in, being shown out, and a server that goes away and comes back.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, Visit } from "./support/browser";
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

test("a wrong password is told, and the right one leads to the page that was asked for", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await page.goto("/keys");
  await page.getByLabel("User").fill("admin");
  await page.getByLabel("Password").first().fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
  await visit.signIn(server.admin.username, server.admin.password);
  await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
  await visit.end();
});

test("a session that was ended elsewhere leads back to the sign-in, and from there to the same page", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/backends");
  const { id } = await page.evaluate(async () => (await fetch("/api/v1/sessions/current")).json());
  await page.evaluate((session) => fetch(`/api/v1/sessions/${session}`, { method: "DELETE" }), id);
  await page.getByRole("link", { name: "Machines", exact: true }).click();
  await visit.signIn(server.admin.username, server.admin.password);
  await page.getByRole("heading", { level: 1, name: "Machines" }).waitFor();
  await visit.end();
});

test("a page that is open when the server is started anew recovers by itself", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server, "/keys");
  await page.getByText("No keys yet").waitFor();
  await server.stop();
  const warning = page.getByText("The line to the server is down.");
  await warning.waitFor();
  await server.startAgain();
  await warning.waitFor({ state: "detached" });
  await server.api("POST", "/keys", { name: "after the start", generate: "ed25519" });
  await page.getByText("after the start").waitFor();
  await visit.end();
});

test("two tabs share one event stream, and both see what changes", async () => {
  const visit = await Visit.begin(browser, server);
  let streams = 0;
  visit.page.context().on("request", (request) => {
    if (request.url().endsWith("/api/v1/events")) streams += 1;
  });
  await visit.as(server, "/keys");
  const second = await visit.page.context().newPage();
  await second.goto("/keys");
  await second.getByText("after the start").waitFor();
  await server.api("POST", "/keys", { name: "for both", generate: "ed25519" });
  await visit.page.getByText("for both").waitFor();
  await second.getByText("for both").waitFor();
  expect(streams).toBe(1);
  // The tab that read the stream goes; the other takes over.
  await visit.page.close();
  await expect.poll(() => streams).toBe(2);
  await server.api("POST", "/keys", { name: "for the one left", generate: "ed25519" });
  await second.getByText("for the one left").waitFor();
  await visit.end();
});

test("an observer is offered nothing that an observer may not do", async () => {
  const user = { username: "watcher", password: "a long enough password", role: "observer" };
  await server.api("POST", "/users", user);
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await page.goto("/backends");
  await visit.signIn(user.username, user.password);
  await page.getByText("No backends yet").waitFor();
  expect(await page.getByRole("link", { name: "Add a backend" }).count()).toBe(0);
  expect(await page.getByRole("link", { name: "Audit log" }).count()).toBe(0);
  await page.goto("/audit");
  await page.getByText("Your role may not see this").waitFor();
  await visit.end();
});

test("the page's files are kept by the browser for ever, and the page itself is asked for anew", async () => {
  const index = await fetch(`${server.url}/machines/some/page`, { headers: { accept: "text/html" } });
  expect(index.headers.get("cache-control")).toBe("no-cache");
  expect(index.headers.get("content-security-policy")).toMatch(
    /^default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';/,
  );
  expect(index.headers.get("x-content-type-options")).toBe("nosniff");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await index.text())?.[1];
  const file = await fetch(`${server.url}${script}`, { headers: { "accept-encoding": "br" } });
  expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  expect(file.headers.get("content-encoding")).toBe("br");
  expect((await fetch(`${server.url}/`)).headers.get("content-type")).toContain("json");
});

test("what cannot be read says so, and is read again", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  let broken = true;
  const problem = { type: "internal", title: "It broke", status: 500, detail: "The disk is on fire.", request_id: "r1" };
  for (const path of ["**/api/v1/backends?*", "**/api/v1/activity?*"])
    await page.route(path, (route) => (broken ? route.fulfill({ status: 500, json: problem }) : route.continue()));
  await visit.as(server, "/backends");
  await page.getByText("The disk is on fire. (request r1)").waitFor();
  expect(await page.getByText("No backends yet").count()).toBe(0);
  await page.goto("/");
  const day = page.getByRole("region", { name: "The last 24 hours" });
  await day.getByText("What ran could not be read: The disk is on fire.").waitFor();
  broken = false;
  await day.getByRole("button", { name: "Try again" }).click();
  await day.getByText("Nothing ran.").waitFor();
  await page.goto("/backends");
  await page.getByText("No backends yet").waitFor();
  await visit.end();
});

test("the first view is small", async () => {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await visit.as(server);
  await page.getByText("Machines by provider").waitFor();
  const files = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map((one) => one.name)
      .filter((name) => name.includes("/assets/")),
  );
  const sizes = files.map(async (file) => {
    const response = await fetch(file, { headers: { "accept-encoding": "gzip" } });
    await response.arrayBuffer();
    return Number(response.headers.get("content-length"));
  });
  const size = (await Promise.all(sizes)).reduce((sum, one) => sum + one, 0);
  expect(size).toBeGreaterThan(50 * 1024);
  expect(size).toBeLessThan(350 * 1024);
  await visit.end();
});
