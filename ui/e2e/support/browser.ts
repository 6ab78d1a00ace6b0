// Debian's Chromium, and a page in it that is signed in. What the page complains of fails the test.
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Server } from "./server";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.ROADSTEAD_CHROMIUM ?? "/usr/bin/chromium",
    args: QUIET,
  });
}

/** A page, and what went wrong in it: errors of scripts, broken rules of its policy, requests that left the server. */
export class Visit {
  readonly wrong: string[] = [];

  private constructor(readonly page: Page) {}

  static async begin(browser: Browser, server: Server, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await browser.newContext({
      viewport: { width: 1360, height: 860 },
      baseURL: server.url,
      ...options,
    });
    const page = await context.newPage();
    const visit = new Visit(page);
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => visit.wrong.push(error.message));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) visit.wrong.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith("data:"))
        visit.wrong.push(request.url());
    });
    return visit;
  }

  /** Signs in where it is. */
  async signIn(username: string, password: string): Promise<void> {
    await this.page.getByLabel("User").fill(username);
    await this.page.getByLabel("Password").first().fill(password);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("navigation", { name: "Main" }).waitFor();
  }

  /** Goes to a page as whoever the server was begun with. */
  async as(server: Server, path = "/"): Promise<void> {
    await this.page.goto(path);
    await this.signIn(server.admin.username, server.admin.password);
  }

  async end(): Promise<void> {
    await this.page.context().close();
    if (this.wrong.length > 0) throw new Error(`the page went wrong: ${this.wrong.join("; ")}`);
  }
}
