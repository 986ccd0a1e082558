import { existsSync, readFileSync } from "node:fs";

import { describe, expect, test, vi } from "vitest";

import { judge, reference } from "../src/core/golden";
import { BundleProblem } from "../src/core/problem";
import { openBundle, type Source } from "../src/core/verify";
import { path, vectors } from "./vectors";

function folder(name: string): Source {
  return {
    where: name,
    read: async (file) => {
      const found = `${path(name)}/${file}`;
      return existsSync(found) ? new Uint8Array(readFileSync(found)) : null;
    },
  };
}

/** The bundle `name` with its manifest changed before it is read. */
function changed(name: string, change: (manifest: any) => void): Source {
  const whole = folder(name);
  return {
    ...whole,
    read: async (file) => {
      const data = await whole.read(file);
      if (file !== "manifest.json") return data;
      const manifest = JSON.parse(new TextDecoder().decode(data!));
      change(manifest);
      return new TextEncoder().encode(JSON.stringify(manifest));
    },
  };
}

async function problemOf(source: Source): Promise<BundleProblem | null> {
  try {
    await openBundle(source);
    return null;
  } catch (error) {
    if (error instanceof BundleProblem) return error;
    throw error;
  }
}

describe("manifests", () => {
  test.each(vectors.manifests)("$folder", async (each) => {
    const problem = await problemOf(folder(each.folder));
    expect(problem?.kind ?? null).toBe(each.problem);
    for (const name of each.names) expect(problem?.message).toContain(name);
  });

  test("a newer schema asks for a newer app", async () => {
    const problem = await problemOf(folder("manifests/schema"));
    expect(problem?.message).toContain("made by a newer Fovea");
    expect(problem?.message).toContain("update the app");
  });

  test.each(["/etc/passwd", "a/../../b", "..\\b", "C:\\b", ""])("%j is outside", async (name) => {
    const source = changed("manifests/whole", (m) => (m.files[name] = { sha256: "", bytes: 0 }));
    expect((await problemOf(source))?.kind).toBe("outside");
  });

  test("a golden file outside is not read either", async () => {
    const source = changed("manifests/whole", (m) => (m.golden[0].input = "../other.png"));
    expect((await problemOf(source))?.kind).toBe("outside");
  });

  test("an artefact that is not listed is missing", async () => {
    const source = changed("manifests/whole", (m) => {
      m.artefacts.litert_fp32.path = "artefacts/other.tflite";
    });
    expect((await problemOf(source))?.message).toContain("artefacts/other.tflite is not listed");
  });

  test.each([
    ["spec", (m: any) => (m.spec = 3)],
    ["height", (m: any) => (m.input.height = "192")],
    ["layout", (m: any) => (m.artefacts.litert_fp32.input.layout = "HWC")],
    ["min_cc", (m: any) => (m.artefacts.litert_fp32.bounds = {})],
    ["golden", (m: any) => (m.golden = {})],
    ["shape", (m: any) => (m.output.shape = [1, 2])],
    ["files", (m: any) => delete m.files],
    ["schema", (m: any) => delete m.schema],
  ])("a manifest with a broken %s says so", async (name, change) => {
    const problem = await problemOf(changed("manifests/whole", change));
    expect(problem?.kind).toBe("missing-part");
    expect(problem?.message).toContain(name);
  });

  test("what is not known is ignored, and classes may be absent", async () => {
    const source = changed("manifests/whole_semantic", (m) => {
      m.novelty = { deep: [1] };
      delete m.output.classes;
    });
    expect((await openBundle(source)).manifest.classes).toBeNull();
  });
});

test("a page that may not hash says how to open it", async () => {
  vi.stubGlobal("crypto", {});
  try {
    const opening = openBundle(folder("manifests/whole"));
    await expect(opening).rejects.toThrow("https:// and on localhost");
  } finally {
    vi.unstubAllGlobals();
  }
});

describe("golden vectors", () => {
  async function opened(change: (manifest: any) => void = () => {}) {
    const bundle = await openBundle(changed("manifests/whole", change));
    const [golden] = bundle.manifest.golden;
    const [artefact] = bundle.manifest.artefacts;
    return reference(bundle, golden!, artefact!);
  }

  test("the stored output passes against itself", async () => {
    const held = await opened();
    expect(held.against).toBe("own");
    const verdict = judge(held.expected.data, held, "logits", 1);
    expect(verdict).toMatchObject({ pass: true, maxAbs: 0 });
  });

  test("an output without its own vector is held to torch's", async () => {
    const held = await opened((m) => (m.golden[0].outputs = {}));
    expect(held.against).toBe("torch");
  });

  test.each([
    ["beyond max_abs", (v: number) => v + 1, { maxAbs: 0.5, minCc: 0 }, false],
    ["within max_abs", (v: number) => v + 0.25, { maxAbs: 0.5, minCc: 0 }, true],
    ["no bound on values", (v: number) => v + 0.25, { maxAbs: null, minCc: 0.9 }, true],
    ["turned round", (v: number) => -v, { maxAbs: null, minCc: 0.9 }, false],
    ["not a number", () => NaN, { maxAbs: null, minCc: 0.9 }, false],
  ])("%s", async (_, change, bounds, pass) => {
    const data = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i));
    const held = { expected: { shape: [1, 1, 4, 8], data }, bounds, against: "own" } as const;
    expect(judge(data.map(change), held, "logits", 1).pass).toBe(pass);
  });

  test("of a constant map the difference alone counts", () => {
    const data = new Float32Array(8).fill(1);
    const bounds = { maxAbs: 0.5, minCc: 0.99 };
    const held = { expected: { shape: [1, 1, 2, 4], data }, bounds, against: "own" } as const;
    expect(judge(data.map((v) => v + 0.1), held, "logits", 1)).toMatchObject({
      pass: true, cc: null,
    });
    expect(judge(data.map((v) => v + 1), held, "logits", 1).pass).toBe(false);
  });

  test("an output of another size fails", async () => {
    const held = await opened();
    expect(judge(new Float32Array(3), held, "logits", 1).pass).toBe(false);
  });
});
