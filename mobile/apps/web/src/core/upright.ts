import type { Pixels } from "./resize";

/**
 * Stored pixels turned upright by their EXIF orientation, 1-8.
 *
 * Browsers do this themselves when they decode (`imageOrientation: "from-image"`); this is for
 * pixels that come from elsewhere.
 */
export function upright(pixels: Pixels, orientation: number): Pixels {
  if (!Number.isInteger(orientation) || orientation < 1 || orientation > 8) {
    throw new RangeError(`EXIF knows the orientations 1 to 8, not ${orientation}`);
  }
  const { height, width, channels } = pixels;
  const exchanged = orientation >= 5;
  const [tall, wide] = exchanged ? [width, height] : [height, width];
  const flipsX = [2, 3, 7, 8].includes(orientation);
  const flipsY = [3, 4, 6, 7].includes(orientation);
  const data = new Uint8ClampedArray(pixels.data.length);
  for (let y = 0; y < tall; y++) {
    for (let x = 0; x < wide; x++) {
      const [across, down] = exchanged ? [y, x] : [x, y];
      const fromX = flipsX ? width - 1 - across : across;
      const fromY = flipsY ? height - 1 - down : down;
      const from = (fromY * width + fromX) * channels;
      const to = (y * wide + x) * channels;
      for (let c = 0; c < channels; c++) data[to + c] = pixels.data[from + c]!;
    }
  }
  return { data, height: tall, width: wide, channels };
}
