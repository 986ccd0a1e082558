import { classLayer, cutOut, heatLayer, parseColour } from "../core/layers";
import { toMap } from "../core/maps";
import { resizeRgb } from "../core/resize";
import { toTensor } from "../core/tensors";
import { pixelsOf } from "./pictures";
import type { Analysis, Calls, Model, Reply, Request } from "./protocol";
import { Session, startRuntime } from "./runtime";

interface Held {
  readonly model: Model;
  readonly session: Session;
}

const held = new Map<string, Held>();

const calls: Calls = {
  async start(folder, settings) {
    await startRuntime(folder, settings);
    return performance.getEntriesByType("resource").map((entry) => entry.name);
  },

  async load(model, settings) {
    const begun = performance.now();
    const session = await Session.load(model, settings);
    held.set(model.recipe, { model, session });
    return { ms: performance.now() - begun, accelerator: session.accelerator };
  },

  async analyse(recipes, picture) {
    const begun = performance.now();
    const pixels = pixelsOf(picture);
    picture.close();
    const read = performance.now() - begun;
    const found: Analysis[] = [];
    for (const recipe of recipes) found.push(await analysed(of(recipe), pixels, read));
    return found;
  },

  async cutOut(picture, map, height, width) {
    const pixels = pixelsOf(picture);
    picture.close();
    const rgba = cutOut(pixels, map, height, width);
    return { rgba, height: pixels.height, width: pixels.width };
  },

  async time(recipe, picture, plan) {
    const { model, session } = of(recipe);
    const rgb = resizeRgb(pixelsOf(picture), model.height, model.width);
    picture.close();
    const input = session.prepare(toTensor(rgb, model.layout));
    const once = async (): Promise<number> => {
      const begun = performance.now();
      await session.run(input);
      return performance.now() - begun;
    };
    try {
      const firstMs = await once();
      for (let i = 0; i < plan.warmups; i++) await once();
      const samples: number[][] = [];
      for (let repeat = 0; repeat < plan.repeats; repeat++) {
        const taken: number[] = [];
        for (let i = 0; i < plan.iterations; i++) taken.push(await once());
        samples.push(taken);
      }
      return { firstMs, samples, input: new Float32Array(toTensor(rgb, "NCHW")) };
    } finally {
      input.delete();
    }
  },
};

function of(recipe: string): Held {
  const found = held.get(recipe);
  if (!found) throw new Error(`${recipe} is not loaded`);
  return found;
}

async function analysed(
  { model, session }: Held,
  pixels: ReturnType<typeof pixelsOf>,
  read: number,
): Promise<Analysis> {
  const begun = performance.now();
  const rgb = resizeRgb(pixels, model.height, model.width);
  const input = session.prepare(toTensor(rgb, model.layout));
  const prepared = performance.now();
  let output: Float32Array<ArrayBuffer>;
  try {
    output = await session.run(input);
  } finally {
    input.delete();
  }
  const ran = performance.now();
  const picture = layered(model, output);
  const pre = read + prepared - begun;
  const times = { pre, inference: ran - prepared, post: performance.now() - ran };
  return { recipe: model.recipe, output, times, ...picture };
}

function layered(
  model: Model,
  output: Float32Array<ArrayBuffer>,
): Pick<Analysis, "height" | "width" | "channels" | "map" | "layer" | "shares"> {
  const [, channels, height, width] = model.output as [number, number, number, number];
  const size = { height, width, channels };
  if (model.meaning === "class-logits") {
    const { rgba, shares } = classLayer(output, model.palette.map(parseColour));
    return { ...size, map: null, layer: rgba, shares };
  }
  const map = toMap(output, model.meaning, channels);
  return { ...size, map, layer: heatLayer(map), shares: [] };
}

/** Of a worker, whose types TypeScript cannot know beside those of a page. */
type Post = (message: Reply, transfer: Transferable[]) => void;

// One after the other: the runtime takes one call at a time.
let last: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<Request>) => {
  last = last.then(() => answer(data));
});

async function answer({ id, name, given }: Request): Promise<void> {
  let reply: Reply;
  try {
    const call = calls[name] as (...given: readonly unknown[]) => Promise<unknown>;
    reply = { id, value: await call(...given) };
  } catch (error) {
    reply = { id, error: String((error as Error)?.message ?? error) };
  }
  (postMessage as Post)(reply, "value" in reply ? buffers(reply.value) : []);
}

/** What an answer need not be copied for: the arrays that it holds, which nobody else does. */
function buffers(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(buffers);
}
