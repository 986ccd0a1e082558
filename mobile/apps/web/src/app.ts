import type { Artefact, Golden, Manifest } from "./core/manifest";
import { classesOf, BACKEND, runnable } from "./core/models";
import { type Bundle, contents, openBundle } from "./core/verify";
import { Engine, type Opened } from "./engine/engine";
import type { Model, Settings } from "./engine/protocol";
import { listBundles, served } from "./io/bundles";
import { decodePhoto, type Photo } from "./io/decode";

/** What the person has chosen. */
export interface Choice {
  readonly bundle: string;
  /** Null: the smallest file that can run here. */
  readonly recipe: string | null;
  readonly settings: Settings;
}

/** A bundle that is open and ready to run. */
export class Ready {
  readonly artefacts: readonly Artefact[];

  constructor(
    readonly bundle: Bundle,
    readonly recipe: string,
    readonly opened: Opened,
  ) {
    this.artefacts = runnable(bundle.manifest);
  }

  get manifest(): Manifest {
    return this.bundle.manifest;
  }

  get engine(): Engine {
    return this.opened.engine;
  }

  /** Load `recipe` if it is not; gives a sentence where less than asked for runs it. */
  async ensure(recipe: string): Promise<string | null> {
    return this.engine.ensure(modelOf(this.bundle, recipe));
  }

  /** A golden input, decoded as any photograph is. */
  async golden(golden: Golden): Promise<Photo> {
    const file = new Blob([contents(this.bundle, golden.input)], { type: "image/png" });
    return decodePhoto(file, golden.name);
  }

  withRecipe(recipe: string): Ready {
    return new Ready(this.bundle, recipe, this.opened);
  }
}

/** Everything that this page and its addresses share: what is open, and how it came to be. */
export class App {
  names: readonly string[] = [];

  private bundles = new Map<string, Promise<Bundle>>();

  async list(): Promise<readonly string[]> {
    this.names = await listBundles();
    return this.names;
  }

  /** Open a bundle and start the runtime for it, both at once. */
  async open(choice: Choice): Promise<Ready> {
    const bundle = this.bundle(choice.bundle);
    const recipe = bundle.then(({ manifest }) => chosen(manifest, choice.recipe));
    const first = Promise.all([bundle, recipe]).then(([b, r]) => modelOf(b, r));
    const opened = await Engine.open(first, choice.settings);
    return new Ready(await bundle, await recipe, opened);
  }

  /** The bundle alone, whole, or `BundleProblem`. */
  bundle(name: string): Promise<Bundle> {
    let opening = this.bundles.get(name);
    if (!opening) {
      opening = openBundle(served(name));
      // One bundle at a time lies in memory; one that failed may have been mended since.
      this.bundles = new Map([[name, opening]]);
      opening.catch(() => this.bundles.delete(name));
    }
    return opening;
  }
}

/** The recipe asked for, or the smallest that can run here; throws where there is none. */
function chosen(manifest: Manifest, asked: string | null): string {
  const found = runnable(manifest);
  if (found.length === 0) {
    const has = manifest.artefacts.map((artefact) => artefact.recipe).join(", ") || "nothing";
    throw new Error(
      `${manifest.name} holds no file that a browser can run (it has ${has}); ` +
        `export a ${BACKEND} recipe and install the bundle again`,
    );
  }
  return found.find((artefact) => artefact.recipe === asked)?.recipe ?? found[0]!.recipe;
}

function modelOf(bundle: Bundle, recipe: string): Model {
  const { manifest } = bundle;
  const artefact = runnable(manifest).find((one) => one.recipe === recipe);
  if (!artefact) throw new Error(`${manifest.name} has no ${recipe} that can run here`);
  return {
    recipe,
    bytes: contents(bundle, artefact.path),
    layout: artefact.layout,
    shape: artefact.shape,
    height: manifest.height,
    width: manifest.width,
    meaning: manifest.meaning,
    output: manifest.shape,
    palette: classesOf(manifest).map(({ colour }) => colour),
  };
}
