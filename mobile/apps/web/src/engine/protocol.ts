import type { Rgba } from "../core/layers";
import type { Layout, Meaning } from "../core/manifest";

export type Accelerator = "wasm" | "webgpu";

export interface Settings {
  readonly accelerator: Accelerator;
  readonly threads: number;
}

/** One file and all that is needed to feed it and to read it. */
export interface Model {
  readonly recipe: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly layout: Layout;
  /** Of the input, in `layout` order. */
  readonly shape: readonly number[];
  readonly height: number;
  readonly width: number;
  readonly meaning: Meaning;
  /** Of the output, `[1, C, H, W]`. */
  readonly output: readonly number[];
  /** Colours of classes; empty for other meanings. */
  readonly palette: readonly string[];
}

export interface Loaded {
  readonly ms: number;
  /** What runs the file, by the runtime's own word. */
  readonly accelerator: Accelerator;
}

/** Milliseconds of one run. */
export interface RunTimes {
  /** From the decoded picture to the tensor: pixels read, resized, ordered. */
  readonly pre: number;
  readonly inference: number;
  /** From the output to the layer. */
  readonly post: number;
}

export interface Analysis {
  readonly recipe: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** As the file gave it, (C, h, w). */
  readonly output: Float32Array<ArrayBuffer>;
  /** The map that cut-outs need; null for classes, which have a layer alone. */
  readonly map: Float32Array<ArrayBuffer> | null;
  readonly layer: Rgba;
  /** Classes that occur with their shares, the largest first; empty for other meanings. */
  readonly shares: readonly (readonly [number, number])[];
  readonly times: RunTimes;
}

export interface CutOut {
  readonly rgba: Rgba;
  readonly height: number;
  readonly width: number;
}

/** How long to measure, as `mobile/timing.py` does. */
export interface Plan {
  readonly warmups: number;
  readonly repeats: number;
  readonly iterations: number;
}

export interface Timing {
  readonly firstMs: number;
  readonly samples: number[][];
  /** The input as float32 (1, 3, H, W), which names what was measured. */
  readonly input: Float32Array<ArrayBuffer>;
}

/** What the page may ask of the worker. */
export interface Calls {
  /** Load the runtime; gives the addresses that were fetched for it. */
  start(folder: string, settings: Settings): Promise<string[]>;
  load(model: Model, settings: Settings): Promise<Loaded>;
  analyse(recipes: readonly string[], picture: ImageBitmap): Promise<Analysis[]>;
  cutOut(picture: ImageBitmap, map: Float32Array, height: number, width: number): Promise<CutOut>;
  time(recipe: string, picture: ImageBitmap, plan: Plan): Promise<Timing>;
}

export type CallName = keyof Calls;

export interface Request {
  readonly id: number;
  readonly name: CallName;
  readonly given: readonly unknown[];
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };
