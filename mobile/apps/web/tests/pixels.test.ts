import { describe, expect, test } from "vitest";

import { resize, resizeRgb, resizeRows } from "../src/core/resize";
import { shrinkRgba } from "../src/core/shrink";
import { taps } from "../src/core/taps";
import { toTensor } from "../src/core/tensors";
import { upright } from "../src/core/upright";
import { farthest, npy, png, vectors } from "./vectors";

describe("resize", () => {
  test.each(vectors.resize)("$input to $height x $width", (each) => {
    const pixels = png(each.input);
    const expected = npy(each.output);
    const found = resize(pixels, each.height, each.width);
    expect(expected.shape).toEqual([each.height, each.width, 3]);
    expect(farthest(found, expected.data)).toBeLessThanOrEqual(each.tolerance);
  });

  test.each(vectors.resize)("$input as RGBA to $height x $width", (each) => {
    const pixels = png(each.input);
    const rgba = new Uint8ClampedArray((pixels.data.length / 3) * 4).fill(77);
    for (let i = 0; i < pixels.data.length; i++) {
      rgba[4 * Math.floor(i / 3) + (i % 3)] = pixels.data[i]!;
    }
    const four = { ...pixels, data: rgba, channels: 4 };
    const expected = resize(pixels, each.height, each.width);
    expect(farthest(resizeRgb(four, each.height, each.width), expected)).toBe(0);
  });

  test.each([
    [480, 640, 192, 256], [97, 31, 13, 31], [64, 64, 64, 63], [1000, 3, 7, 2], [41, 41, 41, 41],
  ])("RGBA of %i x %i to %i x %i is quick, and what plain loops give", (h, w, height, width) => {
    const data = Uint8ClampedArray.from({ length: h * w * 4 }, (_, i) => (i * 2654435761) >>> 13);
    const rgba = { data, height: h, width: w, channels: 4 };
    const rows: number[] = [];
    const down = taps(h, height);
    expect(shrinkRgba(rgba, down, taps(w, width), (row) => rows.push(...row))).toBe(true);
    const rgb = data.filter((_, i) => i % 4 !== 3);
    const plain = resize({ data: rgb, height: h, width: w, channels: 3 }, height, width);
    expect(farthest(rows, plain)).toBe(0);
  });

  test("enlarged RGBA is left to plain loops", () => {
    const rgba = { data: new Uint8ClampedArray(64), height: 4, width: 4, channels: 4 };
    expect(shrinkRgba(rgba, taps(4, 9), taps(4, 9), () => {})).toBe(false);
  });

  test("a tolerance this tight tells antialiasing from plain bilinear", () => {
    const each = vectors.resize.find((one) => one.input === "resize/stripes.png")!;
    const { data, height, width } = png(each.input);
    const nearest = new Float32Array(each.height * each.width * 3);
    for (let i = 0; i < nearest.length; i++) {
      const [y, x] = [Math.floor(i / 3 / each.width), Math.floor(i / 3) % each.width];
      const from = Math.floor(((y + 0.5) * height) / each.height) * width;
      nearest[i] = data[(from + Math.floor(((x + 0.5) * width) / each.width)) * 3 + (i % 3)]!;
    }
    expect(farthest(nearest, npy(each.output).data)).toBeGreaterThan(each.tolerance);
  });

  test("one channel comes out as each of three", () => {
    const { data, height, width } = png("resize/noise.png");
    const red = Float32Array.from({ length: data.length / 3 }, (_, i) => data[3 * i]!);
    const grey = { data: red, height, width, channels: 1 };
    const all = resize({ data, height, width, channels: 3 }, 9, 7);
    expect(farthest(resize(grey, 9, 7), all.filter((_, i) => i % 3 === 0))).toBe(0);
  });

  test.each([[0, 4], [4, 0]])("nothing is resized from or to %i x %i", (from, to) => {
    const empty = { data: new Uint8Array(0), height: from, width: from, channels: 3 };
    expect(() => resizeRows(empty, to, to, 3, () => {})).toThrow("sizes start at 1");
  });
});

test.each(vectors.upright)("upright by orientation $orientation", (each) => {
  const expected = png(each.output);
  const found = upright(png(each.input), each.orientation);
  expect([found.height, found.width]).toEqual([expected.height, expected.width]);
  expect(farthest(found.data, expected.data)).toBe(0);
});

test("an orientation that EXIF does not know is refused", () => {
  expect(() => upright(png(vectors.upright[0]!.input), 9)).toThrow("1 to 8");
});

test.each(vectors.tensors)("tensor as $layout", (each) => {
  const values = Float32Array.from(png(each.input).data);
  expect(farthest(toTensor(values, each.layout), npy(each.output).data)).toBe(0);
});
