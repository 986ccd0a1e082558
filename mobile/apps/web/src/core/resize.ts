import { shrinkRgba } from "./shrink";
import { type Taps, taps } from "./taps";

/** Rows of `channels` values a pixel; a fourth channel (alpha) is ignored by `resizeRgb`. */
export interface Pixels {
  readonly data: Uint8ClampedArray | Uint8Array | Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

const { fround } = Math;

/**
 * The resize `triangle` of the manifest, `(height, width, channels)` float32, unrounded.
 *
 * Rows first, then columns, each sum in ascending order of input pixels and in float32 throughout.
 */
export function resize(pixels: Pixels, height: number, width: number): Float32Array {
  return gathered(pixels, height, width, pixels.channels);
}

/** `resize` of the first three channels: RGB of RGBA. */
export function resizeRgb(pixels: Pixels, height: number, width: number): Float32Array {
  return gathered(pixels, height, width, 3);
}

function gathered(pixels: Pixels, height: number, width: number, taken: number): Float32Array {
  const result = new Float32Array(height * width * taken);
  const length = width * taken;
  resizeRows(pixels, height, width, taken, (row, y) => result.set(row, y * length));
  return result;
}

/** `resize` one finished row at a time, for results that need not lie in memory as a whole. */
export function resizeRows(
  pixels: Pixels,
  height: number,
  width: number,
  taken: number,
  emit: (row: Float32Array, y: number) => void,
): void {
  const down = taps(pixels.height, height);
  const across = taps(pixels.width, width);
  if (taken === 3 && shrinkRgba(pixels, down, across, emit)) return;
  const mixed = new Float32Array(pixels.width * taken);
  const row = new Float32Array(width * taken);
  for (let y = 0; y < height; y++) {
    mixed.fill(0);
    const begin = down.begin[y]!;
    for (let k = begin; k < down.begin[y + 1]!; k++) {
      addRow(mixed, pixels, down.first[y]! + k - begin, down.weights[k]!, taken);
    }
    mixColumns(row, mixed, across, taken);
    emit(row, y);
  }
}

function addRow(
  mixed: Float32Array,
  pixels: Pixels,
  y: number,
  weight: number,
  taken: number,
): void {
  const { data, channels, width } = pixels;
  const from = y * width * channels;
  for (let x = 0; x < width; x++) {
    for (let c = 0; c < taken; c++) {
      const value = fround(weight * data[from + x * channels + c]!);
      mixed[x * taken + c] = fround(mixed[x * taken + c]! + value);
    }
  }
}

function mixColumns(row: Float32Array, mixed: Float32Array, across: Taps, taken: number): void {
  const { first, begin, weights } = across;
  for (let x = 0; x < first.length; x++) {
    for (let c = 0; c < taken; c++) {
      let sum = 0;
      let from = taken * first[x]! + c;
      for (let k = begin[x]!; k < begin[x + 1]!; k++, from += taken) {
        sum = fround(sum + fround(weights[k]! * mixed[from]!));
      }
      row[taken * x + c] = sum;
    }
  }
}
