import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { expect, test } from "vitest";

import { launch, opened, serve } from "./browser";
import { altered, edit, manifests, problem } from "./given";

const { name } = manifests()[0]!;

async function kept(page: Page): Promise<void> {
  await page.waitForSelector("html[data-offline]");
  expect(await page.evaluate(() => document.documentElement.dataset["offline"])).toBe("ready");
}

/** Addresses of the bundles' files that are kept, without index and manifests. */
function keptFiles(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const kept = await (await caches.open("fovea-bundles")).keys();
    return kept.map(({ url }) => url).filter((url) => url.includes("?sha256=")).sort();
  });
}

test("once loaded, the page needs neither network nor server", async () => {
  const served = await serve(altered(name, () => {}));
  const browser = await launch({ keeps: true });
  try {
    const page = await browser.newPage();
    await opened(page, served.address);
    await kept(page);
    await served.close();
    await browser.setOffline(true);
    await opened(page, `${served.address}#check`);
    await page.waitForFunction(() => window.foveaCheck !== undefined);
    expect((await page.evaluate(() => window.foveaCheck))!.state).toBe("pass");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  } finally {
    await browser.close();
    await served.close().catch(() => {});
  }
});

test("a bundle that was exchanged is opened anew, not from what was kept", async () => {
  const folder = altered(name, () => {});
  const served = await serve(folder);
  const browser = await launch({ keeps: true });
  try {
    const page = await browser.newPage();
    await opened(page, served.address);
    await kept(page);
    const files = await keptFiles(page);
    expect(files.length).toBeGreaterThan(3);
    edit(join(folder, name), (manifest) => (manifest.spec.source = "exchanged"));
    await opened(page, served.address);
    expect(await page.locator("footer").innerText()).toContain("exchanged");
    await kept(page);
    expect(await keptFiles(page)).toEqual(files);
    writeFileSync(join(folder, "index.json"), JSON.stringify({ schema: 1, bundles: ["other"] }));
    await opened(page, served.address);
    expect(await keptFiles(page)).toEqual([]);
    writeFileSync(join(folder, "index.json"), JSON.stringify({ schema: 1, bundles: [name] }));
    writeFileSync(join(folder, name, "manifest.json"), "{");
    await opened(page, served.address);
    expect(await problem(page)).toContain("is not JSON");
  } finally {
    await browser.close();
    await served.close();
  }
});
