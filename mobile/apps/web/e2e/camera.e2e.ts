import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { launch, opened, serve, type Served } from "./browser";
import { BUNDLES, problem } from "./given";

const FAKE = "--use-fake-device-for-media-stream";

let served: Served;

beforeAll(async () => {
  served = await serve(BUNDLES);
});

afterAll(() => served?.close());

async function started(
  flags: readonly string[],
  then: (page: Page) => Promise<void>,
): Promise<void> {
  const browser: BrowserContext = await launch({ flags });
  try {
    const page = await browser.newPage();
    await opened(page, `${served.address}#camera`);
    await page.locator("#camera-toggle").click();
    await then(page);
  } finally {
    await browser.close();
  }
}

test("maps follow the camera until it is stopped", async () => {
  await started([FAKE, "--use-fake-ui-for-media-stream"], async (page) => {
    await page.waitForFunction(() =>
      Number(document.querySelector<HTMLElement>("[data-runs]")?.dataset["runs"]) >= 10);
    expect(await page.locator("#rate").innerText()).toMatch(/^\d+\.\d maps a second$/);
    const video = page.locator(".stage video");
    expect(await video.evaluate((each: HTMLVideoElement) => each.videoWidth)).toBeGreaterThan(0);
    const layer = await page.locator(".stage .layer").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
    expect(layer).toBeGreaterThan(10);
    await page.locator("#camera-toggle").click();
    expect(await video.count()).toBe(0);
  });
});

test("a refused camera: how to allow it", async () => {
  await started([FAKE, "--deny-permission-prompts"], async (page) => {
    await page.waitForSelector("[role=alert]:not([hidden])");
    expect(await problem(page)).toContain("The camera was refused. Allow it");
    expect(await page.locator("#camera-toggle").isEnabled()).toBe(true);
  });
});

test("no camera: what else there is", async () => {
  await started(["--use-fake-ui-for-media-stream"], async (page) => {
    await page.waitForSelector("[role=alert]:not([hidden])");
    expect(await problem(page)).toContain("No camera was found");
  });
});
