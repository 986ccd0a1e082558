import { sha256 } from "./verify";
import { percentile, summarise } from "./stats";

export const SCHEMA = 2;
const RESAMPLES = 1000;

/** Where something was measured, without naming the machine. */
export interface Place {
  readonly device: string;
  readonly os: string;
  readonly runtime: string;
  readonly runtimeVersion: string;
}

/** What was measured, and how. */
export interface Measured {
  readonly sha256: string;
  readonly student: string;
  readonly recipe: string;
  readonly accelerator: { readonly asked: string; readonly obtained: string };
  readonly threads: number;
  /** float32 (1, 3, H, W). */
  readonly input: Float32Array<ArrayBuffer>;
  readonly height: number;
  readonly width: number;
  readonly loadMs: number;
  readonly firstMs: number;
  readonly warmups: number;
  readonly samples: readonly (readonly number[])[];
}

/** One row of the latency schema (`mobile/latency_row.py`), to be written as a JSON line. */
export async function latencyRow(
  measured: Measured,
  place: Place,
): Promise<Readonly<Record<string, unknown>>> {
  const { samples, input } = measured;
  const times = summarise(samples);
  const [low, high] = medianInterval(samples.flat());
  const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  return {
    schema: SCHEMA,
    artefact_sha256: measured.sha256,
    student: measured.student,
    recipe: measured.recipe,
    delegate_asked: measured.accelerator.asked,
    delegate_obtained: measured.accelerator.obtained,
    nodes_delegated: null,
    nodes_total: null,
    partitions: null,
    threads: measured.threads,
    affinity: null,
    device: place.device,
    os: place.os,
    runtime: place.runtime,
    runtime_version: place.runtimeVersion,
    clocks: "unreadable",
    input_shape: [1, 3, measured.height, measured.width],
    input_sha256: await sha256(bytes),
    load_ms: measured.loadMs,
    first_run_ms: measured.firstMs,
    warmups: measured.warmups,
    repeats: samples.length,
    iterations: Math.min(...samples.map((repeat) => repeat.length)),
    time_bounded: false,
    p50_ms: times.p50,
    p90_ms: times.p90,
    p95_ms: times.p95,
    p99_ms: times.p99,
    mean_ms: times.mean,
    cv: times.cv,
    low_ms: low,
    high_ms: high,
    repeat_p50_ms: times.repeatP50,
    spread: times.spread,
    peak_memory_bytes: null,
    baseline_memory_bytes: null,
    temperature_c: null,
    thermal_timed_out: null,
    host: (await sha256(new TextEncoder().encode(JSON.stringify(place)))).slice(0, 16),
    source: "browser",
  };
}

/** Bootstrap 95 % interval of the median; equal samples give equal intervals. */
export function medianInterval(values: readonly number[]): [number, number] {
  const random = mulberry(0);
  const medians = Array.from({ length: RESAMPLES }, () =>
    percentile(values.map(() => values[Math.floor(random() * values.length)]!), 0.5),
  );
  const median = percentile(values, 0.5);
  const [low, high] = [percentile(medians, 0.025), percentile(medians, 0.975)];
  return [Math.min(low, median), Math.max(high, median)];
}

// A few lines that always give the same numbers, which Math.random does not.
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
