import { describe, expect, test } from "vitest";

import { latencyRow, medianInterval } from "../src/core/latency";
import { parseColour } from "../src/core/layers";
import { parseManifest } from "../src/core/manifest";
import { classesOf, runnable } from "../src/core/models";
import { summarise } from "../src/core/stats";
import { bytes } from "./vectors";

function manifest(name: string, change: (raw: any) => void = () => {}) {
  const raw = JSON.parse(new TextDecoder().decode(bytes(`manifests/${name}/manifest.json`)));
  change(raw);
  return parseManifest(JSON.stringify(raw), name);
}

test("files for browsers alone, the smallest first", () => {
  const found = manifest("whole", ({ artefacts }) => {
    artefacts.large = { ...artefacts.litert_fp32, bytes: 100 };
    artefacts.small = { ...artefacts.litert_fp32, bytes: 10 };
    artefacts.other = { ...artefacts.litert_fp32, backend: "executorch" };
    artefacts.litert_fp32.bytes = 50;
  });
  expect(runnable(found).map(({ recipe }) => recipe)).toEqual(["small", "litert_fp32", "large"]);
});

describe("classes", () => {
  test("are those of the bundle", () => {
    const found = manifest("whole_semantic");
    expect(classesOf(found)).toEqual(found.classes);
  });

  test("are numbered where the bundle does not name them, in colours of their own", () => {
    const found = classesOf(manifest("whole_semantic", (raw) => {
      delete raw.output.classes;
      raw.output.shape[1] = 150;
    }));
    expect(found.map(({ name }) => name)).toEqual(found.map((_, index) => `class ${index}`));
    expect(found.length).toBe(150);
    const colours = found.map(({ colour }) => String(parseColour(colour)));
    expect(new Set(colours).size).toBeGreaterThan(140);
  });

  test("with a colour that is none are numbered by colour and keep their names", () => {
    const found = classesOf(manifest("whole_semantic", ({ output }) => {
      output.classes[0].colour = "red";
    }));
    expect(found.map(({ name }) => name)).toEqual(
      manifest("whole_semantic").classes!.map(({ name }) => name),
    );
    found.forEach(({ colour }) => expect(() => parseColour(colour)).not.toThrow());
  });

  test("are none where the output is a map", () => {
    expect(classesOf(manifest("whole"))).toEqual([]);
  });
});

describe("a latency row", () => {
  const samples = [[5, 7, 6], [8, 5, 6.5]];

  test("summarises its samples and names what was measured", async () => {
    const place = { device: "d", os: "o", runtime: "litertjs", runtimeVersion: "1" };
    const row = await latencyRow({
      sha256: "ab", student: "s", recipe: "r", accelerator: { asked: "none", obtained: "none" },
      threads: 1, input: new Float32Array(12), height: 2, width: 2, loadMs: 3, firstMs: 9,
      warmups: 5, samples,
    }, place);
    const times = summarise(samples);
    expect(row).toMatchObject({
      source: "browser", repeats: 2, iterations: 3, p50_ms: times.p50, spread: times.spread,
      input_shape: [1, 3, 2, 2], repeat_p50_ms: [6, 6.5],
      // Of 48 zero bytes.
      input_sha256: "17b0761f87b081d5cf10757ccc89f12be355c70e2e29df288b65b30710dcbcd1",
    });
    expect(row["host"]).toMatch(/^[0-9a-f]{16}$/);
  });

  test("has an interval around its median, the same each time", () => {
    const values = Array.from({ length: 60 }, (_, i) => 10 + Math.sin(i * 7));
    const [low, high] = medianInterval(values);
    const { p50 } = summarise([values]);
    expect(low).toBeLessThan(p50);
    expect(high).toBeGreaterThan(p50);
    expect(high - low).toBeLessThan(1);
    expect(medianInterval(values)).toEqual([low, high]);
    expect(medianInterval([4, 4, 4])).toEqual([4, 4]);
  });
});
