import {
  type CompiledModel, loadAndCompile, loadLiteRt, supportsFeature, Tensor,
} from "@litertjs/core";

import type { Accelerator, Model, Settings } from "./protocol";

interface Scope {
  importScripts(url: string): void;
  eval(script: string): unknown;
  Module: unknown;
}

const THREADED = "litert_wasm_threaded_internal.js";
const scope = globalThis as unknown as Scope;

/** Load the runtime's WebAssembly from `folder`, an address that ends in "/". */
export async function startRuntime(folder: string, settings: Settings): Promise<void> {
  if (settings.accelerator === "webgpu") await requireWebGpu();
  const threads = settings.threads > 1;
  scope.importScripts = runScript;
  // Inside a worker the runtime cannot see where its own script lies.
  scope.Module = {
    locateFile: (name: string) => folder + name,
    mainScriptUrlOrBlob: folder + THREADED,
  };
  const jspi = settings.accelerator === "webgpu" && !threads && (await supportsFeature("jspi"));
  await loadLiteRt(folder, { threads, jspi });
}

/** A model in the runtime's memory. */
export class Session {
  private constructor(
    private readonly compiled: CompiledModel,
    private readonly shape: readonly number[],
  ) {}

  static async load(model: Model, settings: Settings): Promise<Session> {
    const compiled = await loadAndCompile(model.bytes, {
      accelerator: settings.accelerator,
      cpuOptions: { numThreads: settings.threads },
      gpuOptions: { precision: "fp32" },
    });
    return new Session(compiled, model.shape);
  }

  /** What the runtime chose, which may be less than it was asked for. */
  get accelerator(): Accelerator {
    return this.compiled.options.accelerator === "webgpu" ? "webgpu" : "wasm";
  }

  prepare(values: Float32Array): Tensor {
    return new Tensor(values, [...this.shape]);
  }

  /** One inference; the input stays the caller's. */
  async run(input: Tensor): Promise<Float32Array<ArrayBuffer>> {
    const outputs = await this.compiled.run([input]);
    try {
      return new Float32Array((await outputs[0]!.data()) as Float32Array);
    } finally {
      // They lie in the module's memory, which nobody collects.
      for (const output of outputs) output.delete();
    }
  }
}

async function requireWebGpu(): Promise<void> {
  if (!navigator.gpu) throw new Error("this browser has no WebGPU");
  if (!(await navigator.gpu.requestAdapter())) throw new Error("WebGPU found no graphics adapter");
}

// The runtime's glue is a classic script, and importScripts throws in module workers.
function runScript(url: string): void {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.send();
  if (request.status !== 200) throw new Error(`${url} answered ${request.status}`);
  // As a method, eval runs in the global scope, where the runtime looks for what it defines.
  scope.eval(request.responseText);
}
