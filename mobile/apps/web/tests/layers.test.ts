import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import own from "../src/core/colours.json";
import { classLayer, cutOut, heatLayer, parseColour } from "../src/core/layers";
import { toMap } from "../src/core/maps";
import { farthest, npy, path, png, vectors } from "./vectors";

test("the app's colours are the project's", () => {
  expect(own).toEqual(JSON.parse(readFileSync(path("colours.json"), "utf8")));
});

test.each(vectors.maps)("map of $input", (each) => {
  const { data, shape } = npy(each.input);
  const channels = shape.length === 3 ? shape[0]! : 1;
  const found = toMap(data, each.meaning, channels);
  expect(farthest(found, npy(each.output).data)).toBeLessThanOrEqual(1e-5);
});

describe("heat", () => {
  const levels = own.map(parseColour);

  /** The level whose colour and alpha a pixel has. */
  function levelOf(pixels: ArrayLike<number>, at: number): number {
    const [r, g, b, a] = [0, 1, 2, 3].map((c) => pixels[at + c]!);
    return levels.findIndex(
      (colour, level) =>
        colour[0] === r && colour[1] === g && colour[2] === b &&
        Math.floor(255 * (0.3 + (0.6 * level) / 255) + 0.5) === a,
    );
  }

  test.each(vectors.heat)("layer of $input", (each) => {
    const found = heatLayer(npy(each.input).data);
    const expected = png(each.output).data;
    expect(found.length).toBe(expected.length);
    for (let at = 0; at < found.length; at += 4) {
      const [ours, theirs] = [levelOf(found, at), levelOf(expected, at)];
      expect(theirs).toBeGreaterThanOrEqual(0);
      expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(1);
    }
  });
});

test.each(vectors.classes)("classes of $input", (each) => {
  const found = classLayer(npy(each.input).data, each.colours.map(parseColour));
  expect(farthest(found.rgba, png(each.output).data)).toBe(0);
  expect(found.shares.map(([index]) => index)).toEqual(
    each.shares.map(([index]) => index),
  );
  const shares = each.shares.map(([, share]) => share);
  expect(farthest(found.shares.map(([, share]) => share), shares)).toBeLessThan(1e-12);
});

test.each(vectors.cutout)("cut-out of $photo", (each) => {
  const map = npy(each.input);
  const [height, width] = map.shape as [number, number];
  const photo = png(each.photo);
  const found = cutOut(photo, map.data, height, width);
  const expected = png(each.output).data;
  const part = (data: ArrayLike<number>, alpha: boolean): number[] =>
    Array.from(data).filter((_, i) => (i % 4 === 3) === alpha);
  expect(farthest(part(found, false), part(expected, false))).toBe(0);
  expect(farthest(part(found, true), part(expected, true))).toBeLessThanOrEqual(1);
});

test.each(["f25824", "#f2582", "#g25824", "red"])("%s is no colour", (text) => {
  expect(() => parseColour(text)).toThrow(text);
});
