import colours from "./colours.json";
import { type Pixels, resizeRows } from "./resize";

/** A colour as red, green, blue of 0-255. */
export type Colour = readonly [number, number, number];

/** An RGBA picture. */
export type Rgba = Uint8ClampedArray<ArrayBuffer>;

const CLASS_ALPHA = 158;
const SCALE = heatScale();

/** The heat layer of a map: coloured by level, more opaque where it is higher. */
export function heatLayer(map: Float32Array): Rgba {
  let [least, largest] = [Infinity, -Infinity];
  for (const value of map) {
    if (value < least) least = value;
    if (value > largest) largest = value;
  }
  const range = largest - least;
  const result = new Uint8ClampedArray(map.length * 4);
  const words = new Uint32Array(result.buffer);
  for (let i = 0; i < map.length; i++) {
    const level = range > 0 ? Math.floor((255 * (map[i]! - least)) / range + 0.5) : 0;
    words[i] = SCALE[level]!;
  }
  return result;
}

/** What a class layer shows. */
export interface ClassLayer {
  readonly rgba: Rgba;
  /** Classes that occur with their share of the pixels, the largest first. */
  readonly shares: readonly (readonly [number, number])[];
}

/** Each pixel in the colour of its class with the largest logit, the first of equals. */
export function classLayer(logits: Float32Array, palette: readonly Colour[]): ClassLayer {
  const plane = logits.length / palette.length;
  const best = logits.slice(0, plane);
  const winners = new Uint16Array(plane);
  for (let c = 1; c < palette.length; c++) {
    const from = c * plane;
    for (let pixel = 0; pixel < plane; pixel++) {
      const value = logits[from + pixel]!;
      if (value > best[pixel]!) {
        best[pixel] = value;
        winners[pixel] = c;
      }
    }
  }
  return { rgba: painted(winners, palette), shares: sharesOf(winners, palette.length) };
}

/** The photograph with the map, at its size by `triangle`, as its alpha; `photo` is RGB or RGBA. */
export function cutOut(photo: Pixels, map: Float32Array, height: number, width: number): Rgba {
  const result = new Uint8ClampedArray(photo.height * photo.width * 4);
  const mask = { data: map, height, width, channels: 1 };
  resizeRows(mask, photo.height, photo.width, 1, (row, y) => {
    let from = y * photo.width * photo.channels;
    let to = y * photo.width * 4;
    for (let x = 0; x < photo.width; x++, from += photo.channels, to += 4) {
      result[to] = photo.data[from]!;
      result[to + 1] = photo.data[from + 1]!;
      result[to + 2] = photo.data[from + 2]!;
      result[to + 3] = Math.floor(255 * row[x]! + 0.5);
    }
  });
  return result;
}

/** `#rrggbb` as a colour. */
export function parseColour(text: string): Colour {
  const value = /^#([0-9a-f]{6})$/i.exec(text)?.[1];
  if (value === undefined) throw new Error(`"${text}" is not a colour like #f25824`);
  const number = parseInt(value, 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

function painted(winners: Uint16Array, palette: readonly Colour[]): Rgba {
  const words = new Uint32Array(winners.length);
  const packed = palette.map((colour) => pack(colour, CLASS_ALPHA));
  for (let pixel = 0; pixel < winners.length; pixel++) words[pixel] = packed[winners[pixel]!]!;
  return new Uint8ClampedArray(words.buffer);
}

function sharesOf(winners: Uint16Array, count: number): [number, number][] {
  const counts = new Array<number>(count).fill(0);
  for (const winner of winners) counts[winner]!++;
  return counts
    .map((found, index): [number, number] => [index, found / winners.length])
    .filter(([, share]) => share > 0)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

function heatScale(): Uint32Array {
  return Uint32Array.from(colours, (colour, level) =>
    pack(parseColour(colour), Math.floor(255 * (0.3 + (0.6 * level) / 255) + 0.5)),
  );
}

// Browsers run on little-endian machines alone, so a pixel's bytes are a word in reverse.
function pack([r, g, b]: Colour, alpha: number): number {
  return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
}
