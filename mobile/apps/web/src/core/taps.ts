/** Of each output pixel: its first input pixel, and where its weights lie. */
export interface Taps {
  readonly first: Int32Array;
  /** Weights of output `i` are those from `begin[i]` to `begin[i + 1]`. */
  readonly begin: Int32Array;
  readonly weights: Float32Array;
}

const cache = new Map<string, Taps>();
const CACHED = 32;
/** True weights are 0 or at least 1 in twice the input size; less is what rounding leaves of 0. */
const LEAST = 1e-9;

/**
 * The resize `triangle` along one axis.
 *
 * Output `i` has its centre at `c = (i + 0.5) * k`, `k` being `sizeIn / sizeOut`; input `j` weighs
 * `max(0, 1 - |j + 0.5 - c| / max(1, k))`, in double precision, over the sum of its fellows, and is
 * rounded to float32 at last.
 */
export function taps(sizeIn: number, sizeOut: number): Taps {
  const key = `${sizeIn}>${sizeOut}`;
  const known = cache.get(key);
  if (known) return known;
  if (cache.size >= CACHED) cache.delete(cache.keys().next().value!);
  const made = computed(sizeIn, sizeOut);
  cache.set(key, made);
  return made;
}

function computed(sizeIn: number, sizeOut: number): Taps {
  if (sizeIn < 1 || sizeOut < 1) {
    throw new RangeError(`cannot resize ${sizeIn} pixels to ${sizeOut}; sizes start at 1`);
  }
  const scale = sizeIn / sizeOut;
  const support = Math.max(1, scale);
  const first = new Int32Array(sizeOut);
  const begin = new Int32Array(sizeOut + 1);
  const weights: number[] = [];
  for (let i = 0; i < sizeOut; i++) {
    const centre = (i + 0.5) * scale;
    const row: number[] = [];
    let start = -1;
    const end = Math.min(sizeIn, Math.ceil(centre + support));
    for (let j = Math.max(0, Math.floor(centre - support)); j < end; j++) {
      const weight = 1 - Math.abs(j + 0.5 - centre) / support;
      if (weight < LEAST) continue;
      if (start < 0) start = j;
      row.push(weight);
    }
    const total = row.reduce((sum, weight) => sum + weight, 0);
    first[i] = start;
    row.forEach((weight) => weights.push(weight / total));
    begin[i + 1] = weights.length;
  }
  return { first, begin, weights: Float32Array.from(weights) };
}
