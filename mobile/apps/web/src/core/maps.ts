import type { Meaning } from "./manifest";

type Values = Float32Array<ArrayBuffer>;

/** Values a person can look at, of a file's output `(channels, h, w)`. */
export function toMap(output: Float32Array, meaning: Meaning, channels: number): Values {
  switch (meaning) {
    case "logits":
      return sigmoid(output);
    case "log-density":
      return softmaxWithPeak(output);
    case "class-logits":
      return softmaxOverClasses(output, channels);
  }
}

function sigmoid(output: Float32Array): Values {
  const result = new Float32Array(output.length);
  for (let i = 0; i < output.length; i++) result[i] = 1 / (1 + Math.exp(-output[i]!));
  return result;
}

// Relative to the largest: the sum over pixels cancels, and the peak is 1.
function softmaxWithPeak(output: Float32Array): Values {
  const result = new Float32Array(output.length);
  let largest = -Infinity;
  for (const value of output) largest = Math.max(largest, value);
  for (let i = 0; i < output.length; i++) result[i] = Math.exp(output[i]! - largest);
  return result;
}

function softmaxOverClasses(output: Float32Array, channels: number): Values {
  const plane = output.length / channels;
  const result = new Float32Array(output.length);
  for (let pixel = 0; pixel < plane; pixel++) {
    let largest = -Infinity;
    for (let i = pixel; i < output.length; i += plane) largest = Math.max(largest, output[i]!);
    let sum = 0;
    for (let i = pixel; i < output.length; i += plane) sum += Math.exp(output[i]! - largest);
    for (let i = pixel; i < output.length; i += plane) {
      result[i] = Math.exp(output[i]! - largest) / sum;
    }
  }
  return result;
}
