import { difference } from "./correlation";
import type { Artefact, Bounds, Golden, Meaning } from "./manifest";
import { toMap } from "./maps";
import { type Tensor, parseNpy } from "./npy";
import { type Bundle, contents } from "./verify";

/** What an output is held to. */
export interface Reference {
  readonly expected: Tensor;
  readonly bounds: Bounds;
  /** The file's own output where the bundle was built, or torch's. */
  readonly against: "own" | "torch";
}

export interface Verdict {
  readonly pass: boolean;
  readonly cc: number | null;
  readonly maxAbs: number;
  readonly reference: Reference;
}

/** The stored output for `artefact` on `golden`, with how far from it is allowed. */
export function reference(bundle: Bundle, golden: Golden, artefact: Artefact): Reference {
  const own = golden.outputs[artefact.recipe];
  const path = own?.path ?? golden.torch;
  const expected = parseNpy(contents(bundle, path), path);
  return own
    ? { expected, bounds: own.tolerance, against: "own" }
    : { expected, bounds: artefact.bounds, against: "torch" };
}

/** Whether `output` is near enough: values by `maxAbs`, maps by correlation. */
export function judge(
  output: Float32Array,
  held: Reference,
  meaning: Meaning,
  channels: number,
): Verdict {
  const { expected, bounds } = held;
  if (output.length !== expected.data.length) {
    return { pass: false, cc: null, maxAbs: Infinity, reference: held };
  }
  const { maxAbs } = difference(output, expected.data);
  const { cc } = difference(
    toMap(output, meaning, channels),
    toMap(expected.data, meaning, channels),
  );
  const near = bounds.maxAbs === null || maxAbs <= bounds.maxAbs;
  const alike = cc === null ? Number.isFinite(maxAbs) : cc >= bounds.minCc;
  return { pass: near && alike, cc, maxAbs, reference: held };
}
