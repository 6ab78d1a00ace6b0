// What the page costs who opens it: what is read for the first view, and how soon something is painted.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { launch, Visit } from "../e2e/support/browser";
import { Server } from "../e2e/support/server";

/** Each figure is the median of so many visits. */
const VISITS = 5;
/** What browsers call a slow mobile line: 1.6 Mbit/s with 150 ms there and back. */
const SLOW = { latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000, offline: false };

interface Figures {
  firstPaint: number;
  largestPaint: number;
  files: number;
  kib: number;
}

let server: Server;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.end();
});

/** Opens the overview in a browser that has never seen the page, and is signed in. */
async function visit(slow: boolean, cookies: Cookies): Promise<Figures> {
  const visit = await Visit.begin(browser, server);
  const { page } = visit;
  await page.context().addCookies(cookies);
  if (slow) {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Network.enable");
    await devtools.send("Network.emulateNetworkConditions", SLOW);
  }
  await page.goto("/");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await page.getByText("Machines by provider").waitFor();
  const figures = await page.evaluate(async () => {
    const largest = await new Promise<number>((found) => {
      new PerformanceObserver((list) => found(list.getEntries().at(-1)?.startTime ?? 0)).observe({
        type: "largest-contentful-paint",
        buffered: true,
      });
    });
    const files = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    const own = files.filter((file) => file.name.includes("/assets/"));
    const [first] = performance.getEntriesByName("first-contentful-paint");
    return {
      firstPaint: first?.startTime ?? 0,
      largestPaint: largest,
      files: own.length,
      kib: own.reduce((sum, file) => sum + file.encodedBodySize, 0) / 1024,
    };
  });
  await visit.end();
  return figures;
}

type Cookies = Parameters<ReturnType<Awaited<ReturnType<typeof Visit.begin>>["page"]["context"]>["addCookies"]>[0];

async function signedIn(): Promise<Cookies> {
  const visit = await Visit.begin(browser, server);
  await visit.as(server);
  const cookies = await visit.page.context().cookies();
  await visit.end();
  return cookies;
}

function median(figures: Figures[], of: (figures: Figures) => number): string {
  const sorted = figures.map(of).sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0);
}

test.each([
  { line: "this machine", slow: false },
  { line: "a slow line", slow: true },
])("the overview over $line", async ({ line, slow }) => {
  const cookies = await signedIn();
  const figures: Figures[] = [];
  for (let number = 0; number < VISITS; number += 1) figures.push(await visit(slow, cookies));
  process.stdout.write(
    `overview over ${line}: ${median(figures, (one) => one.files)} files, ` +
      `${median(figures, (one) => one.kib)} KiB as sent; first paint ${median(figures, (one) => one.firstPaint)} ms, ` +
      `largest ${median(figures, (one) => one.largestPaint)} ms\n`,
  );
});
