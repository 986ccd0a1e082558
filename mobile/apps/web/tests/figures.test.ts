import { describe, expect, test } from "vitest";

import { difference } from "../src/core/correlation";
import { percentile, Recent, summarise } from "../src/core/stats";
import { npy, TIME_NAMES, vectors } from "./vectors";

test.each(vectors.correlation)("$a against $b", (each) => {
  const found = difference(npy(each.a).data, npy(each.b).data);
  if (each.cc === null) expect(found.cc).toBeNull();
  else expect(Math.abs(found.cc! - each.cc)).toBeLessThanOrEqual(1e-6);
  expect(Math.abs(found.maxAbs - each.max_abs)).toBeLessThanOrEqual(1e-6);
});

test("a NaN is never near", () => {
  const found = difference(Float32Array.of(1, NaN, 2), Float32Array.of(1, 2, 3));
  expect(found.maxAbs).toBe(Infinity);
});

test("arrays of different lengths are not compared", () => {
  expect(() => difference(new Float32Array(3), new Float32Array(4))).toThrow("3 values against 4");
});

describe.each(vectors.times)("times %#", (each) => {
  const found = summarise(each.samples);

  test.each(TIME_NAMES)("%s", (name) => {
    const error = Math.abs(found[name] - each[name]);
    expect(error).toBeLessThanOrEqual(1e-9 * Math.abs(each[name]));
  });

  test("medians of repeats", () => {
    expect(found.repeatP50.length).toBe(each.repeat_p50.length);
    found.repeatP50.forEach((value, i) => expect(value).toBeCloseTo(each.repeat_p50[i]!, 9));
  });
});

test("no times have no percentile", () => {
  expect(() => percentile([], 0.5)).toThrow("no times");
});

test("only the last values are kept", () => {
  const recent = new Recent(3);
  [5, 6, 7, 8].forEach((value) => recent.add(value));
  expect(recent.list()).toEqual([6, 7, 8]);
});
