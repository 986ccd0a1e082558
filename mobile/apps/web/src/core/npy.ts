/** An array of float32 in C order. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const MAGIC = "\x93NUMPY";
const FIXED = 10;

/** A `.npy` of version 1.0, `<f4`, C order; anything else is refused by name. */
export function parseNpy(bytes: Uint8Array, name: string): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  if (bytes.length < FIXED || start !== MAGIC || view.getUint8(6) !== 1) {
    throw new Error(`${name} is not a .npy file of version 1.0`);
  }
  const begin = FIXED + view.getUint16(8, true);
  const header = new TextDecoder("latin1").decode(bytes.subarray(FIXED, begin));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const axes = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (type !== "<f4" || axes === undefined || !/'fortran_order':\s*False/.test(header)) {
    throw new Error(`${name} is not little-endian float32 in C order (${header.trim()})`);
  }
  const shape = axes.split(",").filter((axis) => axis.trim() !== "").map(Number);
  const count = shape.reduce((product, axis) => product * axis, 1);
  if (bytes.length !== begin + 4 * count) {
    throw new Error(`${name} holds ${bytes.length - begin} bytes, not ${4 * count}`);
  }
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = view.getFloat32(begin + 4 * i, true);
  return { shape, data };
}
