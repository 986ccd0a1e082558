import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { difference } from "../src/core/correlation";
import { toMap } from "../src/core/maps";
import { classesOf, runnable } from "../src/core/models";
import { decodePng } from "../tests/png";
import { opened, serve, type Served } from "./browser";
import { eachPage } from "./each_page";
import { BUNDLES, first, GIVEN, manifests, mapOf, npy, photos, problem } from "./given";

/** The page's maps are Python's, or nearly so. */
const LEAST_CC = 0.999;

let served: Served;
let page: Page;

beforeAll(async () => {
  served = await serve(BUNDLES);
});

afterAll(() => served?.close());

eachPage((fresh) => (page = fresh));

async function choose(path: string): Promise<void> {
  await page.locator("input.file").setInputFiles(path);
}

describe.skipIf(photos().length === 0)("the map of a photograph is Python's", () => {
  test.each(photos())("$file", async ({ file, bundle, recipe, output, says }) => {
    await opened(page, `${served.address}?bundle=${bundle}&recipe=${recipe}`);
    await choose(join(GIVEN, file));
    await mapOf(page, file, recipe);
    const found = await page.evaluate(() => Array.from(window.foveaMap!.output));
    const { meaning, shape } = manifests().find(({ name }) => name === bundle)!;
    const map = (values: Float32Array): Float32Array => toMap(values, meaning, shape[1]!);
    const { cc } = difference(map(Float32Array.from(found)), map(npy(join(GIVEN, output))));
    expect(cc).toBeGreaterThanOrEqual(LEAST_CC);
    expect(await page.locator("#photo-note").innerText()).toContain(says);
  });
});

test("a class map has a legend of what occurs, the largest share first", async (context) => {
  const manifest = first(({ task }) => task === "semantic");
  if (!manifest) return context.skip("no semantic bundle");
  await opened(page, `${served.address}?bundle=${manifest.name}`);
  await page.waitForSelector("[data-map]");
  const shares = await page.evaluate(() => window.foveaMap!.shares);
  const names = classesOf(manifest).map(({ name }) => name);
  const shown = await page.locator(".legend li > span:nth-child(2)").allInnerTexts();
  expect(shown).toEqual(shares.map(([index]) => names[index]));
  expect(shares.length).toBeGreaterThan(1);
  expect(shares.map(([, share]) => share)).toEqual(
    shares.map(([, share]) => share).sort((a, b) => b - a),
  );
  const colour = await page.locator(".swatch").first().getAttribute("style");
  expect(colour).toContain(classesOf(manifest)[shares[0]![0]]!.colour);
});

test("a salient object is cut out and kept as PNG", async (context) => {
  const manifest = first(({ task }) => task === "salient_object");
  if (!manifest) return context.skip("no bundle for salient objects");
  const { name, width, height } = manifest;
  await opened(page, `${served.address}?bundle=${name}`);
  await page.waitForSelector("[data-map]");
  await page.getByLabel("Cut out").check();
  await page.waitForSelector(".stage.cut");
  const kept = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download PNG" }).click();
  const file = await kept;
  expect(file.suggestedFilename()).toBe(`${manifest.golden[0]!.name}.cutout.png`);
  const png = decodePng(new Uint8Array(readFileSync(await file.path())));
  expect([png.width, png.height, png.channels]).toEqual([width, height, 4]);
  const map = await page.evaluate(() => Array.from(window.foveaMap!.map!));
  const alpha = Array.from({ length: map.length }, (_, i) => png.data[4 * i + 3]!);
  // The golden input is as large as the map, so that its alpha is the map itself.
  expect(Math.max(...alpha.map((a, i) => Math.abs(a - 255 * map[i]!)))).toBeLessThanOrEqual(1);
});

describe("a picture comes", () => {
  const { name, golden } = manifests()[0]!;
  const other = golden.at(-1)!;
  const bytes = readFileSync(join(BUNDLES, name, other.input)).toString("base64");

  test.each(["drop", "paste"])("by %s, from any page", async (event) => {
    await opened(page, `${served.address}?bundle=${name}#check`);
    await page.evaluate(async ({ event, bytes }) => {
      const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([data], "given.png", { type: "image/png" }));
      dispatchEvent(
        event === "drop"
          ? new DragEvent("drop", { dataTransfer: files })
          : new ClipboardEvent("paste", { clipboardData: files }),
      );
    }, { event, bytes });
    await page.waitForSelector("[data-map^='given.png ']");
    expect(new URL(page.url()).hash).toBe("#photo");
  });

  test("of the samples", async () => {
    await opened(page, `${served.address}?bundle=${name}`);
    await page.locator(".sample").last().click();
    await mapOf(page, other.name, runnable(manifests()[0]!)[0]!.recipe);
  });

  test.each([
    ["empty.png", "", "empty.png is empty (0 bytes)"],
    ["words.jpg", "no picture", "words.jpg is not a picture that this browser can decode"],
    ["IMG_1.HEIC", "\0\0\0\x18ftypheic\0\0\0\0mif1", "IMG_1.HEIC is a HEIC photograph"],
  ])("and %s is refused in words, the one before stays", async (file, content, words) => {
    await opened(page, `${served.address}?bundle=${name}`);
    await page.waitForSelector("[data-map]");
    const before = await page.locator("[data-map]").getAttribute("data-map");
    const buffer = Buffer.from(content, "latin1");
    await page.locator("input.file").setInputFiles({ name: file, mimeType: "image/x", buffer });
    await page.waitForSelector("[role=alert]:not([hidden])");
    expect(await problem(page)).toContain(words);
    expect(await page.locator("[data-map]").getAttribute("data-map")).toBe(before);
  });
});
