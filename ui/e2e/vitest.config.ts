// Tests of the page in a real browser, against a real server and a real agent.
import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: {
    include: ["e2e/**/*.test.ts"],
    // One server and one browser at a time: the machine that runs them may be small.
    fileParallelism: false,
    expect: { poll: { timeout: 60_000 } },
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
