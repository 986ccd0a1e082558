/** Milliseconds in figures, as the latency schema defines them. */
export interface Times {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly mean: number;
  /** Standard deviation over mean. */
  readonly cv: number;
  /** Median of each repeat. */
  readonly repeatP50: readonly number[];
  /** (largest - smallest repeat median) / median of all. */
  readonly spread: number;
}

/** Linear between order statistics: rank `q * (n - 1)`. */
export function percentile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError("no times to summarise");
  const sorted = [...values].sort((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const below = Math.floor(rank);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (rank - below) * (sorted[above]! - sorted[below]!);
}

export function summarise(repeats: readonly (readonly number[])[]): Times {
  const all = repeats.flat();
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  const p50 = percentile(all, 0.5);
  const repeatP50 = repeats.map((values) => percentile(values, 0.5));
  return {
    p50,
    p90: percentile(all, 0.9),
    p95: percentile(all, 0.95),
    p99: percentile(all, 0.99),
    mean,
    cv: Math.sqrt(variance) / mean,
    repeatP50,
    spread: (Math.max(...repeatP50) - Math.min(...repeatP50)) / p50,
  };
}

/** The last values of a stream. */
export class Recent {
  private readonly values: number[] = [];

  constructor(private readonly most: number) {}

  add(value: number): void {
    this.values.push(value);
    if (this.values.length > this.most) this.values.shift();
  }

  list(): readonly number[] {
    return this.values;
  }
}
