import { defineConfig } from "vitest/config";

import { bundlesOf, ISOLATED, litert, LITERT_VERSION, serviceWorker, wat } from "./plugins.ts";

export default defineConfig({
  base: "./",
  // A file that is missing is a 404, not the page: a bundle without a file must be seen as such.
  appType: "mpa",
  define: { __LITERT_VERSION__: JSON.stringify(LITERT_VERSION) },
  plugins: [bundlesOf(process.env["FOVEA_BUNDLES"]), litert(), serviceWorker(), wat()],
  worker: { format: "es", plugins: () => [wat()] },
  server: { headers: ISOLATED },
  preview: { headers: ISOLATED },
  build: {
    target: "es2022",
    rolldownOptions: {
      input: { index: "index.html", sw: "src/sw.ts" },
      output: {
        // Its address must stay the same from version to version.
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  test: { include: ["tests/*.test.ts"] },
});
