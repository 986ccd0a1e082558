import type {
  Analysis, CallName, Calls, CutOut, Loaded, Model, Plan, Reply, Settings, Timing,
} from "./protocol";

/** What was started, and what had to give way for it. */
export interface Opened {
  readonly engine: Engine;
  readonly settings: Settings;
  /** Why something that was asked for is not used, one sentence each. */
  readonly notes: readonly string[];
  /** Addresses of the runtime's files, to keep for later without a network. */
  readonly fetched: readonly string[];
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const PATIENCE_MS = 60_000;
const FOLDER = new URL(`${import.meta.env.BASE_URL}litert/`, document.baseURI).href;

/** The runtime and its models in a worker of their own, so that the page never waits for them. */
export class Engine {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private readonly models = new Map<string, Promise<Loaded>>();
  private next = 0;

  private constructor(private readonly settings: Settings) {
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      const one = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if ("error" in data) one?.reject(new Error(data.error));
      else one?.resolve(data.value);
    });
    this.worker.addEventListener("error", (event) => this.fail(event.message || "it ended"));
  }

  /**
   * Start with `settings`, or with the nearest that works here, and load a first model, which may
   * still be on its way; throws where not even WASM on one thread does.
   */
  static async open(first: Promise<Model>, settings: Settings): Promise<Opened> {
    const notes: string[] = [];
    for (const attempt of attempts(settings)) {
      const engine = new Engine(attempt);
      try {
        const [fetched, model] = await Promise.all([engine.start(attempt), first]);
        const note = await engine.ensure(model);
        if (note) notes.push(note);
        return { engine, settings: attempt, notes, fetched };
      } catch (error) {
        engine.close();
        if (isLast(attempt) || !(error instanceof RuntimeProblem)) throw error;
        notes.push(`${described(attempt)} is not used: ${error.message}.`);
      }
    }
    throw new Error("the last attempt either opens or throws");
  }

  /** Load a model unless it is there; gives a sentence where less than asked for runs it. */
  async ensure(model: Model): Promise<string | null> {
    let loading = this.models.get(model.recipe);
    if (!loading) {
      loading = this.call("load", model, this.settings);
      this.models.set(model.recipe, loading);
    }
    try {
      const { accelerator } = await loading;
      return accelerator === this.settings.accelerator ? null : partly(model.recipe, this.settings);
    } catch (error) {
      this.models.delete(model.recipe);
      throw error;
    }
  }

  /** Milliseconds from a model's bytes to one that is ready to run. */
  async loadMs(recipe: string): Promise<number> {
    const loading = this.models.get(recipe);
    if (!loading) throw new Error(`${recipe} is not loaded`);
    return (await loading).ms;
  }

  /** Maps of a picture by several files; the worker takes the picture, here it is gone. */
  analyse(recipes: readonly string[], picture: ImageBitmap): Promise<Analysis[]> {
    return this.call("analyse", recipes, picture);
  }

  cutOut(picture: ImageBitmap, map: Float32Array, height: number, width: number): Promise<CutOut> {
    return this.call("cutOut", picture, map, height, width);
  }

  time(recipe: string, picture: ImageBitmap, plan: Plan): Promise<Timing> {
    return this.call("time", recipe, picture, plan);
  }

  close(): void {
    this.worker.terminate();
    this.fail("it was closed");
  }

  /** A threaded runtime whose threads a server's headers forbid would be waited for forever. */
  private start(attempt: Settings): Promise<string[]> {
    const started = this.call("start", FOLDER, attempt);
    if (isLast(attempt)) return started;
    const late = new Promise<never>((_, reject) => {
      const words = `it did not start within ${PATIENCE_MS / 1000} s`;
      setTimeout(() => reject(new RuntimeProblem(words)), PATIENCE_MS);
    });
    return Promise.race([started, late]);
  }

  private call<N extends CallName>(name: N, ...given: Parameters<Calls[N]>): ReturnType<Calls[N]> {
    const id = this.next++;
    const answer = new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject: (e) => reject(new RuntimeProblem(e.message)) });
      this.worker.postMessage({ id, name, given }, given.filter(isPicture));
    });
    return answer as ReturnType<Calls[N]>;
  }

  private fail(words: string): void {
    for (const one of this.waiting.values()) one.reject(new Error(words));
    this.waiting.clear();
  }
}

function isPicture(value: unknown): value is ImageBitmap {
  return value instanceof ImageBitmap;
}

/** The runtime, or a file that it does not take. */
export class RuntimeProblem extends Error {
  override readonly name = "RuntimeProblem";
}

export function described({ accelerator, threads }: Settings): string {
  if (accelerator === "webgpu") return "WebGPU";
  return threads > 1 ? `WASM, ${threads} threads` : "WASM, 1 thread";
}

function attempts(settings: Settings): Settings[] {
  const { accelerator, threads } = settings;
  const tried: Settings[] = accelerator === "webgpu" ? [{ accelerator, threads: 1 }] : [];
  if (threads > 1) tried.push({ accelerator: "wasm", threads });
  return [...tried, { accelerator: "wasm", threads: 1 }];
}

function isLast({ accelerator, threads }: Settings): boolean {
  return accelerator === "wasm" && threads === 1;
}

function partly(recipe: string, attempt: Settings): string {
  return `${described(attempt)} does not take ${recipe} as a whole, so WASM runs it.`;
}
