import { inflateSync } from "node:zlib";

import type { Pixels } from "../src/core/resize";

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 6: 4 };

/** An 8-bit PNG of grey, RGB or RGBA without interlacing: what the vectors are. */
export function decodePng(file: Uint8Array): Pixels {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const width = view.getUint32(16);
  const height = view.getUint32(20);
  const [depth, kind, interlaced] = [file[24], file[25]!, file[28]];
  const channels = CHANNELS[kind];
  if (depth !== 8 || channels === undefined || interlaced !== 0) {
    throw new Error(`PNG of depth ${depth}, type ${kind}, interlacing ${interlaced}`);
  }
  const packed: Uint8Array[] = [];
  for (let at = 8; at < file.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (type === "IDAT") packed.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(packed));
  return { data: unfiltered(raw, height, width * channels, channels), height, width, channels };
}

function unfiltered(raw: Uint8Array, height: number, stride: number, step: number): Uint8Array {
  const data = new Uint8Array(height * stride);
  const at = (y: number, x: number): number => (y < 0 || x < 0 ? 0 : data[y * stride + x]!);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const [left, up, corner] = [at(y, x - step), at(y - 1, x), at(y - 1, x - step)];
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter!]!;
      data[y * stride + x] = raw[y * (stride + 1) + 1 + x]! + predicted;
    }
  }
  return data;
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value)) as [
    number, number, number,
  ];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
