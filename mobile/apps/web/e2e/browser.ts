/** The built page in headless Chromium, as tests and measurements open it. */
import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { type BrowserContext, chromium, type Page } from "playwright-core";
import { preview, type PreviewServer } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The built page. */
export const DIST = resolve(ROOT, process.env["FOVEA_DIST"] ?? "dist");
const PROGRAMS = [
  "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
];
const FLAGS = [
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Chromium's path: FOVEA_CHROMIUM, or the first one on PATH. */
export function program(): string {
  const chosen = process.env["FOVEA_CHROMIUM"];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const all = chosen ? [chosen] : PROGRAMS.flatMap((n) => folders.map((folder) => join(folder, n)));
  const found = all.find((path) => existsSync(path));
  if (!found) throw new Error("no Chromium on PATH; install one, or name it in FOVEA_CHROMIUM");
  return found;
}

export interface Served {
  readonly address: string;
  close(): Promise<void>;
}

/** The page as built, with the bundles of a folder. */
export async function serve(bundles: string): Promise<Served> {
  process.env["FOVEA_BUNDLES"] = bundles;
  const server: PreviewServer = await preview({
    root: ROOT, logLevel: "error", build: { outDir: DIST }, preview: { port: 0, host: "127.0.0.1" },
  });
  return { address: server.resolvedUrls!.local[0]!, close: () => server.close() };
}

export interface Launched {
  /** For Chromium itself. */
  readonly flags?: readonly string[];
  /** Whether pages may keep themselves for use without a network. */
  readonly keeps?: boolean;
}

/** A browser with a profile of its own, which goes when it is closed. */
export async function launch(options: Launched = {}): Promise<BrowserContext> {
  const { flags = [], keeps = false } = options;
  // Chromium refuses to sandbox itself for root; the page is ours and this machine's own.
  const root = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  // Without a name, the profile is a temporary folder.
  return chromium.launchPersistentContext("", {
    executablePath: program(),
    headless: true,
    args: [...FLAGS, ...root, ...flags],
    viewport: { width: 1280, height: 860 },
    serviceWorkers: keeps ? "allow" : "block",
  });
}

/** Open `#page` of the app and wait until a bundle is open, or until it says why none is. */
export async function opened(page: Page, address: string): Promise<void> {
  // Only the part after "#" may differ, which alone would not load the page anew.
  await page.goto("about:blank");
  await page.goto(address);
  await page.waitForSelector(".shell:is([data-state=ready], [data-state=failed])");
}
