import type { Layout } from "./manifest";

/** `(h, w, 3)` values as a file takes them: `(1, 3, h, w)` or `(1, h, w, 3)`, otherwise as is. */
export function toTensor(rgb: Float32Array, layout: Layout): Float32Array {
  if (layout === "NHWC") return rgb;
  const plane = rgb.length / 3;
  const result = new Float32Array(rgb.length);
  for (let pixel = 0, from = 0; pixel < plane; pixel++, from += 3) {
    result[pixel] = rgb[from]!;
    result[plane + pixel] = rgb[from + 1]!;
    result[2 * plane + pixel] = rgb[from + 2]!;
  }
  return result;
}
