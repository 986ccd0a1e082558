/** What the built app takes with a bundle, in headless Chromium: `npm run measure -- FOLDER`. */
import {
  cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

import type { BrowserContext, Page } from "playwright-core";

import { parseManifest } from "../src/core/manifest";
import { runnable } from "../src/core/models";
import { percentile } from "../src/core/stats";
import { DIST, launch, opened, serve } from "../e2e/browser";

const VISITS = 7;
const RUNS = 60;
const CODE = new Set([".html", ".css", ".js", ".svg", ".webmanifest"]);

export async function main([given]: readonly string[]): Promise<void> {
  if (!given || !existsSync(join(given, "manifest.json"))) {
    console.error("say the folder of a bundle: npm run measure -- ~/bundles/NAME");
    process.exitCode = 2;
    return;
  }
  if (!existsSync(join(DIST, "index.html"))) {
    console.error(`${DIST} holds no page; build it first: npm run build`);
    process.exitCode = 2;
    return;
  }
  const folder = alone(resolve(given));
  const served = await serve(folder);
  const browser = await launch({
    keeps: true,
    flags: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  });
  try {
    console.log(`page and code, gzipped: ${(size() / 1000).toFixed(1)} kB`);
    const manifest = parseManifest(readFileSync(join(given, "manifest.json"), "utf8"), given);
    for (const { recipe, bytes } of runnable(manifest)) {
      console.log(`\n${manifest.name}, ${recipe}, ${(bytes / 1e6).toFixed(1)} MB, WASM, 1 thread`);
      await measured(browser, `${served.address}?recipe=${recipe}`);
    }
  } finally {
    await browser.close();
    await served.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measured(browser: BrowserContext, address: string): Promise<void> {
  const page = await browser.newPage();
  const first = await visited(page, address);
  await page.waitForSelector("html[data-offline]");
  const cached: number[] = [];
  for (let i = 0; i < VISITS; i++) cached.push(await visited(page, address));
  const figures = [0, 0.5, 1].map((q) => percentile(cached, q).toFixed(0)).join(", ");
  console.log(`  load to first map: ${first.toFixed(0)} ms at first`);
  console.log(`  with runtime and model cached: ${figures} ms (least, median, most of ${VISITS})`);
  await opened(page, `${address}#camera`);
  await page.locator("#camera-toggle").click();
  await page.waitForFunction(
    (runs) => Number(document.querySelector<HTMLElement>("[data-runs]")?.dataset["runs"]) >= runs,
    RUNS,
    { timeout: 120_000 },
  );
  const rows = await page.locator("table.times tbody tr").allInnerTexts();
  console.log(`  camera of 640 x 480, ${RUNS} runs, ms p50 p90 p99:`);
  for (const row of rows) console.log(`    ${row.replaceAll("\t", "  ")}`);
  const share = Number(await page.locator("[data-share]").getAttribute("data-share"));
  console.log(`    before and after: ${(100 * share).toFixed(1)} % of inference`);
  await page.close();
}

async function visited(page: Page, address: string): Promise<number> {
  await opened(page, address);
  await page.waitForSelector("[data-map]");
  return page.evaluate(() => performance.getEntriesByName("fovea:first-map")[0]!.startTime);
}

/** A folder of bundles that holds this one alone. */
function alone(bundle: string): string {
  const folder = mkdtempSync(join(tmpdir(), "fovea-measure-"));
  const name = basename(bundle);
  cpSync(bundle, join(folder, name), { recursive: true });
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schema: 1, bundles: [name] }));
  return folder;
}

/** Bytes of page and code as a server sends them, without runtime and bundles. */
function size(): number {
  return readdirSync(DIST, { recursive: true, encoding: "utf8" })
    .filter((name) => CODE.has(extname(name)) && !/^(litert|bundles)\b/.test(name))
    .reduce((sum, name) => sum + gzipSync(readFileSync(join(DIST, name)), { level: 6 }).length, 0);
}
