/** What the tests are given: bundles, and photographs with what Python makes of them. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Page } from "playwright-core";
import { onTestFinished } from "vitest";

import { parseManifest, type Manifest } from "../src/core/manifest";
import { parseNpy } from "../src/core/npy";

const INSTALLED = fileURLToPath(new URL("../public", import.meta.url));

/** Holds `bundles/`, and `photos.json` where Python's results are to be compared. */
export const GIVEN = process.env["FOVEA_E2E"] ?? INSTALLED;
export const BUNDLES = join(GIVEN, "bundles");

export interface GivenPhoto {
  readonly file: string;
  readonly bundle: string;
  readonly recipe: string;
  /** `.npy` of the file's output by Python. */
  readonly output: string;
  /** What the page says beside the photograph. */
  readonly says: string;
}

export function manifests(): Manifest[] {
  const index = join(BUNDLES, "index.json");
  if (!existsSync(index)) {
    throw new Error(`${index} is missing; install a bundle: fovea bundle install NAME --app web`);
  }
  const names = JSON.parse(readFileSync(index, "utf8")).bundles as string[];
  return names.map((name) => {
    const path = join(BUNDLES, name, "manifest.json");
    return parseManifest(readFileSync(path, "utf8"), path);
  });
}

/** The first bundle that fits, or null: a test of what is not installed is skipped. */
export function first(fits: (manifest: Manifest) => boolean): Manifest | null {
  return manifests().find(fits) ?? null;
}

export function photos(): GivenPhoto[] {
  const path = join(GIVEN, "photos.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
}

export function npy(path: string): Float32Array {
  return parseNpy(new Uint8Array(readFileSync(path)), path).data;
}

/** A folder of one bundle, changed by `change`; gives the folder to serve for this test. */
export function altered(name: string, change: (bundle: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "fovea-altered-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(BUNDLES, name), join(folder, name), { recursive: true });
  change(join(folder, name));
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schema: 1, bundles: [name] }));
  return folder;
}

/** Rewrite the manifest of a bundle's folder. */
export function edit(bundle: string, change: (manifest: any) => void): void {
  const path = join(bundle, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  change(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

/** Wait for the map of a picture by a file, as the page says it. */
export async function mapOf(page: Page, photo: string, recipe: string): Promise<void> {
  await page.waitForSelector(`[data-map=${JSON.stringify(`${photo} ${recipe}`)}]`);
}

export async function problem(page: Page): Promise<string> {
  return page.locator("[role=alert]:not([hidden])").innerText();
}
