// Figures of the page, in a real browser: `cargo xtask bench page`.
import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: join(import.meta.dirname, ".."),
  test: { include: ["bench/**/*.figures.ts"], testTimeout: 300_000, hookTimeout: 300_000 },
});
