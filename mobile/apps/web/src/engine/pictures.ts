import type { Pixels } from "../core/resize";

let canvas: OffscreenCanvas | null = null;

/** The RGBA pixels of a picture, transparent ones on white. */
export function pixelsOf(picture: ImageBitmap): Pixels {
  const { height, width } = picture;
  if (!canvas || canvas.height !== height || canvas.width !== width) {
    canvas = new OffscreenCanvas(width, height);
  }
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error(`this browser has no memory for ${width} x ${height} pixels`);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0);
  return { data: context.getImageData(0, 0, width, height).data, height, width, channels: 4 };
}
