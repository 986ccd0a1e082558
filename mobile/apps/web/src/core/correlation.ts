/** How two arrays of one length differ. */
export interface Difference {
  /** Pearson's correlation; null where one of them is constant. */
  readonly cc: number | null;
  readonly maxAbs: number;
}

export function difference(a: Float32Array, b: Float32Array): Difference {
  return { cc: correlation(a, b), maxAbs: largestDifference(a, b) };
}

export function correlation(a: Float32Array, b: Float32Array): number | null {
  requireAlike(a, b);
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [a[i]! - meanA, b[i]! - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return isConstant(a) || isConstant(b) ? null : ab / Math.sqrt(aa * bb);
}

export function largestDifference(a: Float32Array, b: Float32Array): number {
  requireAlike(a, b);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const value = Math.abs(a[i]! - b[i]!);
    // A NaN is as far away as can be, and must not be passed over.
    if (!(value <= largest)) largest = Number.isNaN(value) ? Infinity : value;
  }
  return largest;
}

function requireAlike(a: Float32Array, b: Float32Array): void {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
}

// By value, not by variance: the mean of equal numbers may differ from them in the last bit.
function isConstant(values: Float32Array): boolean {
  return values.every((value) => value === values[0]);
}

function mean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
