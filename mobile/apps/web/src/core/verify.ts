import { MANIFEST, type Manifest, parseManifest } from "./manifest";
import { BundleProblem } from "./problem";

/** Where the files of a bundle come from; null for one that is not there. */
export interface Source {
  readonly where: string;
  read(path: string, sha256?: string): Promise<Uint8Array<ArrayBuffer> | null>;
}

/** A bundle whose every file has its length and hash. */
export interface Bundle {
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Read the whole bundle, or throw `BundleProblem` for the first thing wrong with it. */
export async function openBundle(source: Source): Promise<Bundle> {
  const content = await source.read(MANIFEST);
  if (content === null) {
    throw new BundleProblem("missing-manifest", `${source.where} has no ${MANIFEST}`);
  }
  const manifest = parseManifest(new TextDecoder().decode(content), `${source.where}/${MANIFEST}`);
  requireInside(manifest, source.where);
  requireListed(manifest, source.where);
  const names = Object.keys(manifest.files);
  const read = await Promise.allSettled(names.map((name) => checked(source, name, manifest)));
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  read.forEach((result, index) => {
    if (result.status === "rejected") throw result.reason;
    files.set(names[index]!, result.value);
  });
  return { manifest, files };
}

/** The bytes of a file that the manifest lists. */
export function contents(bundle: Bundle, path: string): Uint8Array<ArrayBuffer> {
  const found = bundle.files.get(path);
  if (!found) throw new BundleProblem("missing-file", `${path} is not listed in ${MANIFEST}`);
  return found;
}

export async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new Error(
      "Hashes can be computed on https:// and on localhost only; open this page by one of them",
    );
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function checked(
  source: Source,
  name: string,
  manifest: Manifest,
): Promise<Uint8Array<ArrayBuffer>> {
  const expected = manifest.files[name]!;
  const data = await source.read(name, expected.sha256);
  if (data === null) throw new BundleProblem("missing-file", `${source.where}: ${name} is missing`);
  if (data.byteLength !== expected.bytes) {
    const what = `${name} has ${data.byteLength} bytes, the manifest says ${expected.bytes}`;
    throw new BundleProblem("length", `${source.where}: ${what}`);
  }
  const digest = await sha256(data);
  if (digest !== expected.sha256) {
    const said = `the manifest says ${expected.sha256.slice(0, 12)}…`;
    const what = `${name} has sha256 ${digest.slice(0, 12)}…, ${said}`;
    throw new BundleProblem("hash", `${source.where}: ${what}`);
  }
  return data;
}

function requireInside(manifest: Manifest, where: string): void {
  for (const path of mentioned(manifest)) {
    const parts = path.split(/[/\\]/);
    if (path === "" || parts[0] === "" || /^[A-Za-z]:/.test(path) || parts.includes("..")) {
      throw new BundleProblem("outside", `${where}: "${path}" points outside of the bundle`);
    }
  }
}

function requireListed(manifest: Manifest, where: string): void {
  const listed = Object.keys(manifest.files);
  for (const path of mentioned(manifest)) {
    // A package is a folder, and its files are listed one by one.
    if (!listed.some((name) => name === path || name.startsWith(`${path}/`))) {
      throw new BundleProblem("missing-file", `${where}: ${path} is not listed in ${MANIFEST}`);
    }
  }
}

function mentioned(manifest: Manifest): string[] {
  return [
    ...Object.keys(manifest.files),
    ...manifest.artefacts.map((artefact) => artefact.path),
    ...manifest.golden.flatMap((golden) => [
      golden.input,
      golden.torch,
      ...Object.values(golden.outputs).map((output) => output.path),
    ]),
  ];
}
