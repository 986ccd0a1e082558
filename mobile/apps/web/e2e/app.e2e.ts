import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { runnable } from "../src/core/models";
import { launch, opened, serve, type Served } from "./browser";
import { eachPage } from "./each_page";
import { altered, BUNDLES, edit, first, GIVEN, manifests, mapOf } from "./given";

let served: Served;
let page: Page;

beforeAll(async () => {
  served = await serve(BUNDLES);
});

afterAll(() => served?.close());

eachPage((fresh) => (page = fresh));

async function check(address: string): Promise<NonNullable<Window["foveaCheck"]>> {
  await opened(page, address);
  await page.waitForFunction(() => window.foveaCheck !== undefined);
  return (await page.evaluate(() => window.foveaCheck))!;
}

describe("golden vectors", () => {
  test.each(manifests())("of $name all pass", async (manifest) => {
    const { state, results } = await check(`${served.address}?bundle=${manifest.name}#check`);
    expect(results.filter(({ pass }) => !pass)).toEqual([]);
    expect(state).toBe("pass");
    const wanted = manifest.golden.flatMap(({ name }) =>
      runnable(manifest).map(({ recipe }) => `${name} ${recipe}`));
    expect(results.map(({ golden, recipe }) => `${golden} ${recipe}`)).toEqual(wanted);
    expect(await page.locator("tbody tr[data-pass=true]").count()).toBe(wanted.length);
  });

  test("one that is not what the file gives fails, and is the only one", async () => {
    const { name, golden, artefacts } = manifests()[0]!;
    const { path } = golden[0]!.outputs[artefacts[0]!.recipe]!;
    const folder = altered(name, (bundle) => {
      const data = readFileSync(join(bundle, path));
      for (let at = 128; at < data.length; at += 4) data.writeFloatLE(-data.readFloatLE(at), at);
      writeFileSync(join(bundle, path), data);
      const sha256 = createHash("sha256").update(data).digest("hex");
      edit(bundle, (manifest) => (manifest.files[path].sha256 = sha256));
    });
    const other = await serve(folder);
    try {
      const { state, results } = await check(`${other.address}#check`);
      expect(state).toBe("fail");
      const failed = results.filter(({ pass }) => !pass);
      expect(failed.map((each) => [each.golden, each.recipe])).toEqual([
        [golden[0]!.name, artefacts[0]!.recipe],
      ]);
      expect(await page.locator(".verdict").innerText()).toContain(`1 of ${results.length}`);
    } finally {
      await other.close();
    }
  });
});

describe("what runs it", () => {
  const [{ name, golden }] = manifests() as [ReturnType<typeof manifests>[number]];

  async function running(query: string): Promise<{ place: string; notes: string }> {
    await opened(page, `${served.address}?bundle=${name}${query}`);
    await page.waitForSelector("[data-map]");
    const place = await page.locator("#accelerator").inputValue();
    return { place, notes: await page.locator(".notes").innerText() };
  }

  test("one thread of WASM by default", async () => {
    const { place, notes } = await running("");
    expect(JSON.parse(place)).toEqual({ accelerator: "wasm", threads: 1 });
    expect(notes).toBe("");
    expect(golden.length).toBe(await page.locator(".sample").count());
  });

  test("two threads, since the page is isolated", async () => {
    const { place } = await running("&threads=2");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(JSON.parse(place)).toEqual({ accelerator: "wasm", threads: 2 });
  });

  test("WASM where there is no WebGPU, and the page says so", async () => {
    const { place, notes } = await running("&on=webgpu");
    expect(JSON.parse(place)).toEqual({ accelerator: "wasm", threads: 1 });
    expect(notes).toContain("WebGPU is not used");
  });

  test("WebGPU where Chromium makes one of software, and all vectors pass", async (context) => {
    const software = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
    const other = await launch({ flags: [...software, "--enable-features=Vulkan"] });
    try {
      page = await other.newPage();
      const { state, results } = await check(`${served.address}?bundle=${name}&on=webgpu#check`);
      const place = await page.locator("#accelerator").inputValue();
      if (JSON.parse(place).accelerator !== "webgpu") {
        return context.skip(await page.locator(".notes").innerText());
      }
      expect(results.filter(({ pass }) => !pass)).toEqual([]);
      expect(state).toBe("pass");
    } finally {
      await other.close();
    }
  });

  test("one thread where the threaded runtime does not load, and the page says so", async () => {
    await page.route("**/litert/*threaded*", (route) => route.fulfill({ status: 503 }));
    const { place, notes } = await running("&threads=2");
    expect(JSON.parse(place)).toEqual({ accelerator: "wasm", threads: 1 });
    expect(notes).toContain("WASM, 2 threads is not used");
    expect(notes).toContain("503");
  });
});

test("two files side by side, with how they differ", async (context) => {
  const manifest = first((each) => runnable(each).length > 1);
  if (!manifest) return context.skip("no bundle with two files for browsers");
  await opened(page, `${served.address}?bundle=${manifest.name}#compare`);
  const figures = page.locator("[data-cc]");
  await figures.waitFor();
  const cc = Number(await figures.getAttribute("data-cc"));
  expect(cc).toBeGreaterThan(0.9);
  expect(cc).toBeLessThan(1);
  await page.locator("#compare-1").selectOption(runnable(manifest)[0]!.recipe);
  await page.waitForFunction(() =>
    Number(document.querySelector<HTMLElement>("[data-cc]")?.dataset["cc"]) > 0.999999);
});

test("another file of the bundle gives its own map", async (context) => {
  const manifest = first((each) => runnable(each).length > 1);
  if (!manifest) return context.skip("no bundle with two files for browsers");
  const [one, other] = runnable(manifest);
  const sample = manifest.golden[0]!.name;
  await opened(page, `${served.address}?bundle=${manifest.name}`);
  await mapOf(page, sample, one!.recipe);
  await page.locator("#recipe").selectOption(other!.recipe);
  await mapOf(page, sample, other!.recipe);
  expect(new URL(page.url()).searchParams.get("recipe")).toBe(other!.recipe);
});

test("times of a file are rows of the latency schema", async () => {
  const manifest = manifests()[0]!;
  await opened(page, `${served.address}?bundle=${manifest.name}#speed`);
  await page.getByRole("button", { name: "Measure" }).click();
  const measured = page.locator("[data-rows]");
  await measured.waitFor();
  const lines = (await measured.getAttribute("data-rows"))!.split("\n");
  expect(lines.length).toBe(runnable(manifest).length);
  const kept = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download rows" }).click();
  const path = await (await kept).path();
  expect(readFileSync(path, "utf8").trimEnd().split("\n")).toEqual(lines);
  // Whoever gave the bundles may read the rows by the project's own reader.
  if (process.env["FOVEA_E2E"]) writeFileSync(join(GIVEN, "rows.jsonl"), readFileSync(path));
});

test.each(["photo", "camera", "compare", "check", "speed"])(
  "%s fits a phone's screen", async (name) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await opened(page, `${served.address}#${name}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(360);
  },
);
