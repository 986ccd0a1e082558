import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

import { wat } from "../plugins.ts";

export default defineConfig({
  plugins: [wat()],
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["e2e/*.e2e.ts"],
    // One browser and one server for all, on machines with few cores.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
