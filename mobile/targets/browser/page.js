// Runs one model on what the server holds, and posts what it gave: outputs, or times of runs.
import {loadAndCompile, loadLiteRt, Tensor} from "@litertjs/core";

const ARRAYS = {float32: Float32Array, int8: Int8Array, uint8: Uint8Array, int32: Int32Array};
const bytes = async (path) => (await fetch(path)).arrayBuffer();
const post = (path, body) => fetch(path, {method: "POST", body});

class Refused extends Error {}

async function compiled(job) {
  if (job.threads > 1 && !crossOriginIsolated) {
    throw new Error("the page is not cross-origin isolated, so there are no threads");
  }
  await loadLiteRt("/package/core/wasm/", {threads: job.threads > 1});
  const model = new Uint8Array(await bytes("/model"));
  const begun = performance.now();
  try {
    const options = {accelerator: "wasm", cpuOptions: {numThreads: job.threads}};
    return {model: await loadAndCompile(model, options), loadMs: performance.now() - begun};
  } catch (error) {
    throw new Refused(String(error?.message ?? error));
  }
}

// Tensors live in the module's memory, which is not collected: each is deleted by hand.
async function once(model, input) {
  const begun = performance.now();
  const outputs = await model.run([input]);
  const ms = performance.now() - begun;
  return {outputs, ms};
}

async function timed(model, input) {
  const {outputs, ms} = await once(model, input);
  outputs.forEach((each) => each.delete());
  return ms;
}

async function tensor(job, index) {
  const values = new ARRAYS[job.dtype](await bytes(`/images/${index}`));
  return new Tensor(values, job.shape);
}

async function outputs(job, model) {
  let shape = [];
  for (let index = 0; index < job.images; index++) {
    const input = await tensor(job, index);
    const {outputs: [first, ...rest]} = await once(model, input);
    shape = Array.from(first.type.layout.dimensions);
    await post(`/outputs/${index}`, Float32Array.from(first.toTypedArray()));
    [input, first, ...rest].forEach((each) => each.delete());
  }
  return {shape};
}

async function times(job, model) {
  const input = await tensor(job, 0);
  const firstMs = await timed(model, input);
  for (let i = 0; i < job.plan.warmups; i++) await timed(model, input);
  const samples = [];
  for (let repeat = 0; repeat < job.plan.repeats; repeat++) {
    const taken = [];
    const limit = performance.now() + 1000 * job.plan.repeat_seconds;
    while (taken.length < job.plan.iterations) {
      taken.push(await timed(model, input));
      if (taken.length >= job.plan.least_iterations && performance.now() > limit) break;
    }
    samples.push(taken);
  }
  input.delete();
  return {firstMs, samples};
}

async function work() {
  const job = await (await fetch("/job.json")).json();
  const {model, loadMs} = await compiled(job);
  const found = await (job.plan ? times(job, model) : outputs(job, model));
  model.delete();
  return {...found, loadMs, isolated: crossOriginIsolated};
}

work().then(
  (found) => post("/done", JSON.stringify(found)),
  (error) => post("/failed", JSON.stringify({
    refused: error instanceof Refused, words: String(error?.message ?? error),
  })),
);
