import { BundleProblem } from "./problem";
import { type Fields, fields, list, numbers, optional, text, whole } from "./fields";

export const SCHEMA = 1;
export const MANIFEST = "manifest.json";
export const RESIZE = "triangle";
export const TASKS = ["saliency", "salient_object", "semantic"] as const;
export const MEANINGS = ["logits", "log-density", "class-logits"] as const;
const PARTS = ["spec", "input", "output", "artefacts", "golden", "files"] as const;

export type Task = (typeof TASKS)[number];
export type Meaning = (typeof MEANINGS)[number];
export type Layout = "NCHW" | "NHWC";

/** How far an output may be: `maxAbs` null is no bound. */
export interface Bounds {
  readonly maxAbs: number | null;
  readonly minCc: number;
}

/** One exported file. */
export interface Artefact {
  readonly recipe: string;
  readonly path: string;
  readonly backend: string;
  readonly precision: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly layout: Layout;
  readonly shape: readonly number[];
  readonly bounds: Bounds;
}

export interface GoldenOutput {
  readonly path: string;
  readonly tolerance: Bounds;
}

export interface Golden {
  readonly name: string;
  readonly input: string;
  readonly torch: string;
  readonly outputs: Readonly<Record<string, GoldenOutput>>;
}

export interface FileEntry {
  readonly sha256: string;
  readonly bytes: number;
}

export interface ClassName {
  readonly name: string;
  readonly colour: string;
}

/** What the app reads of a manifest. */
export interface Manifest {
  readonly name: string;
  readonly task: Task;
  readonly source: string;
  readonly height: number;
  readonly width: number;
  readonly meaning: Meaning;
  /** `[1, C, H, W]` of every output. */
  readonly shape: readonly number[];
  /** Null where the bundle does not name its classes. */
  readonly classes: readonly ClassName[] | null;
  readonly artefacts: readonly Artefact[];
  readonly golden: readonly Golden[];
  readonly files: Readonly<Record<string, FileEntry>>;
}

/** The manifest in `content`; throws `BundleProblem` for what this app must not open. */
export function parseManifest(content: string, where: string): Manifest {
  const raw = decoded(content, where);
  requireSchema(raw["schema"], where);
  for (const part of PARTS) {
    if (raw[part] === undefined) {
      throw new BundleProblem("missing-part", `${where} lacks ${part}`);
    }
  }
  try {
    return read(raw, where);
  } catch (error) {
    if (error instanceof BundleProblem) throw error;
    throw new BundleProblem("missing-part", `${where}: ${(error as Error).message}`);
  }
}

function decoded(content: string, where: string): Fields {
  let raw: unknown;
  try {
    raw = JSON.parse(content);
  } catch (error) {
    throw new BundleProblem("not-json", `${where} is not JSON (${(error as Error).message})`);
  }
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new BundleProblem("not-json", `${where} is JSON, but not an object`);
  }
  return raw as Fields;
}

function requireSchema(schema: unknown, where: string): void {
  if (!Number.isInteger(schema)) {
    throw new BundleProblem("missing-part", `${where} names no schema`);
  }
  if ((schema as number) > SCHEMA) {
    const what = `${where} has schema ${String(schema)} and was made by a newer Fovea`;
    throw new BundleProblem("schema", `${what} (this app knows ${SCHEMA})`, "update the app");
  }
}

function read(raw: Fields, where: string): Manifest {
  const spec = fields(raw, "spec");
  const input = fields(raw, "input");
  const output = fields(raw, "output");
  const task = known("task", text(spec, "task"), TASKS, where);
  const meaning = known("meaning", text(output, "meaning"), MEANINGS, where);
  known("resize", text(fields(input, "resize"), "name"), [RESIZE], where);
  const shape = numbers(output, "shape");
  if (shape.length !== 4) throw new Error(`output.shape has ${shape.length} axes, not 4`);
  return {
    name: text(spec, "name"),
    task,
    source: optional(spec, "source", text) ?? "",
    height: whole(input, "height"),
    width: whole(input, "width"),
    meaning,
    shape,
    classes: optional(output, "classes", list)?.map(className) ?? null,
    artefacts: entries(fields(raw, "artefacts")).map(([recipe, entry]) => artefact(recipe, entry)),
    golden: list(raw, "golden").map(golden),
    files: Object.fromEntries(entries(fields(raw, "files")).map(([name, e]) => [name, file(e)])),
  };
}

function known<T extends string>(
  kind: "task" | "meaning" | "resize",
  value: string,
  values: readonly T[],
  where: string,
): T {
  if ((values as readonly string[]).includes(value)) return value as T;
  const what = `${where}: the ${kind} "${value}" is unknown here (known: ${values.join(", ")})`;
  throw new BundleProblem(kind, what, "use an app that knows it, or another bundle");
}

function entries(parent: Fields): [string, Fields][] {
  return Object.keys(parent).map((name) => [name, fields(parent, name)]);
}

function artefact(recipe: string, entry: Fields): Artefact {
  const input = fields(entry, "input");
  const layout = text(input, "layout");
  if (layout !== "NCHW" && layout !== "NHWC") {
    throw new Error(`artefacts.${recipe}: layout "${layout}" is neither NCHW nor NHWC`);
  }
  return {
    recipe,
    path: text(entry, "path"),
    backend: text(entry, "backend"),
    precision: text(entry, "precision"),
    bytes: whole(entry, "bytes"),
    sha256: text(entry, "sha256"),
    layout,
    shape: numbers(input, "shape"),
    bounds: bounds(fields(entry, "bounds")),
  };
}

function bounds(entry: Fields): Bounds {
  const [maxAbs, minCc] = [entry["max_abs"], entry["min_cc"]];
  if (typeof minCc !== "number") throw new Error("min_cc is not a number");
  return { maxAbs: typeof maxAbs === "number" ? maxAbs : null, minCc };
}

function golden(entry: Fields): Golden {
  const outputs = entries(fields(entry, "outputs")).map(([recipe, given]) => {
    const tolerance = bounds(fields(given, "tolerance"));
    return [recipe, { path: text(given, "path"), tolerance }] as const;
  });
  return {
    name: text(entry, "name"),
    input: text(entry, "input"),
    torch: text(entry, "torch"),
    outputs: Object.fromEntries(outputs),
  };
}

function className(entry: Fields): ClassName {
  return { name: text(entry, "name"), colour: text(entry, "colour") };
}

function file(entry: Fields): FileEntry {
  return { sha256: text(entry, "sha256"), bytes: whole(entry, "bytes") };
}
