import { parseColour } from "./layers";
import type { Artefact, ClassName, Manifest } from "./manifest";

/** Backends whose files this app can open. */
export const BACKEND = "litert";

/** The files that can run here, the smallest first. */
export function runnable(manifest: Manifest): Artefact[] {
  return manifest.artefacts
    .filter((artefact) => artefact.backend === BACKEND)
    .sort((a, b) => a.bytes - b.bytes || a.recipe.localeCompare(b.recipe));
}

/** Names and colours of all classes, numbered where the bundle does not name them. */
export function classesOf(manifest: Manifest): readonly ClassName[] {
  if (manifest.meaning !== "class-logits") return [];
  const count = manifest.shape[1]!;
  const named = manifest.classes;
  if (named && named.length === count && named.every(isColoured)) return named;
  return Array.from({ length: count }, (_, index) => ({
    name: named?.[index]?.name ?? `class ${index}`,
    colour: numbered(index),
  }));
}

function isColoured({ colour }: ClassName): boolean {
  try {
    parseColour(colour);
    return true;
  } catch {
    return false;
  }
}

// Steps of the golden angle keep neighbours far apart however many classes there are.
function numbered(index: number): string {
  const hue = (index * 137.508) % 360;
  const channel = (offset: number): string => {
    const k = (offset + hue / 30) % 12;
    const value = 0.55 - 0.4 * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}
