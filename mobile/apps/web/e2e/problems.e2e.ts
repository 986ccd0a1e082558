import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { expect, test } from "vitest";

import { opened, serve } from "./browser";
import { eachPage } from "./each_page";
import { altered, BUNDLES, edit, manifests, problem } from "./given";

const { name, artefacts } = manifests()[0]!;
const { path } = artefacts[0]!;

let page: Page;

eachPage((fresh) => (page = fresh));

test.each<[string, (bundle: string) => void, string[]]>([
  ["a wrong hash", (bundle) => {
    const data = readFileSync(join(bundle, path));
    data[data.length >> 1]! ^= 1;
    writeFileSync(join(bundle, path), data);
  }, [path, "sha256", "install the bundle again"]],
  ["a file cut short", (bundle) => {
    writeFileSync(join(bundle, path), readFileSync(join(bundle, path)).subarray(1));
  }, [path, "bytes, the manifest says"]],
  ["a missing file", (bundle) => rmSync(join(bundle, path)), [path, "is missing"]],
  ["a missing manifest", (bundle) => rmSync(join(bundle, "manifest.json")), ["manifest.json"]],
  ["no JSON", (bundle) => writeFileSync(join(bundle, "manifest.json"), "{"), ["is not JSON"]],
  ["a newer schema", (bundle) => edit(bundle, (m) => (m.schema = 2)),
    ["schema 2", "newer Fovea", "update the app"]],
  ["an unknown task", (bundle) => edit(bundle, (m) => (m.spec.task = "depth")),
    ["depth", "saliency, salient_object, semantic"]],
  ["another resize", (bundle) => edit(bundle, (m) => (m.input.resize.name = "bicubic")),
    ["bicubic", "triangle"]],
  ["nothing for browsers", (bundle) => edit(bundle, (m) => {
    for (const each of Object.values<any>(m.artefacts)) each.backend = "coreml";
  }), ["no file that a browser can run", artefacts[0]!.recipe]],
])("a bundle with %s is not opened, and the page says why", async (_, change, words) => {
  const served = await serve(altered(name, change));
  try {
    await opened(page, served.address);
    const said = await problem(page);
    for (const word of words) expect(said).toContain(word);
    expect(await page.locator("[data-map]").count()).toBe(0);
  } finally {
    await served.close();
  }
});

test("a bundle that was mended opens without loading the page anew", async () => {
  const folder = altered(name, (bundle) => rmSync(join(bundle, path)));
  const served = await serve(folder);
  try {
    await opened(page, served.address);
    expect(await problem(page)).toContain("is missing");
    writeFileSync(join(folder, name, path), readFileSync(join(BUNDLES, name, path)));
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForSelector("[data-map]");
  } finally {
    await served.close();
  }
});

test("no bundles at all: how to install one", async () => {
  const served = await serve(join(altered(name, () => {}), "nowhere"));
  try {
    await opened(page, served.address);
    expect(await problem(page)).toContain("fovea bundle install NAME --app web");
  } finally {
    await served.close();
  }
});

test("a runtime that does not load is told, with what was asked for", async () => {
  const served = await serve(BUNDLES);
  try {
    await page.route("**/litert/*", (route) => route.fulfill({ status: 404 }));
    await opened(page, served.address);
    expect(await problem(page)).toMatch(/litert_wasm_\w+\.js answered 404/);
  } finally {
    await served.close();
  }
});
