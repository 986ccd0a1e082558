// Node runs no TypeScript by itself; Vite does.
import { loadConfigFromFile, runnerImport } from "vite";

const here = (name) => new URL(name, import.meta.url).pathname;
const asked = { command: "serve", mode: "development" };
const { config } = await loadConfigFromFile(asked, here("../vite.config.ts"));
const { module } = await runnerImport(here("measure.ts"), { ...config, configFile: false });
await module.main(process.argv.slice(2));
