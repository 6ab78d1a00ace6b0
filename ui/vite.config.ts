// How the page is built: into dist/, each file also compressed, as the server hands it out.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const DIST = join(import.meta.dirname, "dist");
/** Smaller files fit into one packet anyway. */
const WORTH_IT = 1024;
/** What a browser has to read before it shows something, at the most, gzipped. */
const FIRST_VIEW = 350 * 1024;

/** Writes `.br` and `.gz` beside each file, and keeps the folder itself in the repository. */
function compress(): Plugin {
  return {
    name: "compress",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(DIST, { recursive: true, encoding: "utf8" })) {
        const path = join(DIST, name);
        if (!/\.(js|css|html|svg)$/.test(name) || statSync(path).size < WORTH_IT) continue;
        const bytes = readFileSync(path);
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, quality));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
      writeFileSync(join(DIST, ".gitignore"), "*\n!.gitignore\n");
    },
  };
}

/** Fails where the first view has grown too large: the frame and the overview with all that they import. */
function firstView(): Plugin {
  return {
    name: "first-view",
    apply: "build",
    writeBundle(_, bundle) {
      const needed = new Set<string>();
      const need = (name: string) => {
        const chunk = bundle[name];
        if (needed.has(name) || chunk?.type !== "chunk") return;
        needed.add(name);
        for (const style of chunk.viteMetadata?.importedCss ?? []) needed.add(style);
        chunk.imports.forEach(need);
      };
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === "chunk" && (chunk.isEntry || chunk.name === "Overview")) need(chunk.fileName);
      }
      const sizes = [...needed].map((name) => gzipSync(readFileSync(join(DIST, name)), { level: 9 }).length);
      const size = sizes.reduce((sum, one) => sum + one, 0);
      this.info(`the first view is ${needed.size} files of ${(size / 1024).toFixed(1)} KiB gzipped`);
      if (size > FIRST_VIEW) this.error(`the first view is larger than ${FIRST_VIEW / 1024} KiB`);
    },
  };
}

/** While developing, `ROADSTEAD_DEV_SERVER` says which server answers for the API. */
const server = process.env.ROADSTEAD_DEV_SERVER ?? "http://127.0.0.1:7643";

export default defineConfig({
  plugins: [react(), firstView(), compress()],
  build: {
    target: "es2022",
    // Browsers that know light-dark(): written in other words it would not follow the page's own choice of scheme.
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: server, ws: true, headers: { origin: server } } } },
  test: { include: ["src/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
