import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Layout, Meaning } from "../src/core/manifest";
import { parseNpy, type Tensor } from "../src/core/npy";
import type { ProblemKind } from "../src/core/problem";
import type { Pixels } from "../src/core/resize";
import { decodePng } from "./png";

const FOLDER = fileURLToPath(new URL("../../vectors/", import.meta.url));

interface Vectors {
  resize: { input: string; height: number; width: number; output: string; tolerance: number }[];
  upright: { input: string; orientation: number; output: string }[];
  tensors: { input: string; layout: Layout; output: string }[];
  maps: { meaning: Meaning; input: string; output: string }[];
  heat: { input: string; output: string }[];
  classes: { input: string; colours: string[]; output: string; shares: [number, number][] }[];
  cutout: { photo: string; input: string; output: string }[];
  correlation: { a: string; b: string; cc: number | null; max_abs: number }[];
  times: ({ samples: number[][]; repeat_p50: number[] } & Record<TimeName, number>)[];
  manifests: { folder: string; problem: ProblemKind | null; names: string[] }[];
}

export const TIME_NAMES = ["p50", "p90", "p95", "p99", "mean", "cv", "spread"] as const;
type TimeName = (typeof TIME_NAMES)[number];

export const vectors = JSON.parse(readFileSync(`${FOLDER}vectors.json`, "utf8")) as Vectors;

export function path(name: string): string {
  return FOLDER + name;
}

export function bytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(path(name)));
}

export function npy(name: string): Tensor {
  return parseNpy(bytes(name), name);
}

export function png(name: string): Pixels {
  return decodePng(bytes(name));
}

/** The largest difference of two lists of numbers, and Infinity where their lengths differ. */
export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const value = Math.abs(a[i]! - b[i]!);
    if (!(value <= largest)) largest = value;
  }
  return largest;
}
