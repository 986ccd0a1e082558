import type { Ready } from "../app";
import { difference } from "../core/correlation";
import { heatLayer } from "../core/layers";
import { toMap } from "../core/maps";
import { classesOf } from "../core/models";
import type { Analysis } from "../engine/protocol";
import { type Choices, choice, h, message } from "./dom";
import { Legend } from "./legend";
import { Opacity } from "./opacity";
import type { Page, Tell } from "./page";
import { type Photos, picker } from "./photos";
import { Stage } from "./stage";
import { milliseconds } from "./times";

/** Two files of a bundle on one photograph, and how their maps differ. */
export class ComparePage implements Page {
  readonly name = "compare";
  readonly title = "Compare";
  readonly element: HTMLElement;
  private readonly stages = [new Stage("First file"), new Stage("Second file")] as const;
  private readonly apart = new Stage("Where they differ");
  private readonly captions = [h("figcaption"), h("figcaption")] as const;
  private readonly apartCaption = h("figcaption");
  private readonly figures = h("dl", { class: "panel figures", hidden: true });
  private readonly legend = new Legend();
  private readonly choices: readonly Choices[];
  private recipes: [string, string] = ["", ""];
  private ready: Ready | null = null;
  private ticket = 0;

  constructor(private readonly photos: Photos, private readonly tell: Tell) {
    this.choices = ([0, 1] as const).map((place) =>
      choice(place === 0 ? "First" : "Second", `compare-${place}`, (recipe) => {
        this.recipes[place] = recipe;
        void this.run();
      }),
    );
    const figure = (stage: Stage, caption: HTMLElement): HTMLElement =>
      h("figure", {}, stage.element, caption);
    this.element = h(
      "div", { class: "page" },
      h("div", { class: "bar" }, ...this.choices.map(({ element }) => element),
        new Opacity(...this.stages).element),
      h("div", { class: "pair" },
        ...this.stages.map((stage, place) => figure(stage, this.captions[place]!)),
        figure(this.apart, this.apartCaption)),
      this.figures, this.legend.element, picker(photos),
    );
    photos.addEventListener("change", () => void this.run());
  }

  async show(ready: Ready): Promise<void> {
    this.ready = ready;
    const names = ready.artefacts.map(({ recipe }) => recipe);
    const offered = names.map((name) => [name, name] as const);
    this.recipes = [names[0]!, names.at(-1)!];
    this.choices.forEach((each, place) => each.offer(offered, this.recipes[place]!));
    await this.run();
  }

  hide(): void {}

  private async run(): Promise<void> {
    const { ready } = this;
    const photo = this.photos.current;
    if (!ready || !photo || !this.element.isConnected) return;
    const ticket = ++this.ticket;
    this.stages.forEach((stage) => (stage.busy = true));
    try {
      for (const recipe of this.recipes) await ready.ensure(recipe);
      const bitmap = await createImageBitmap(photo.bitmap, { colorSpaceConversion: "none" });
      const found = await ready.engine.analyse(this.recipes, bitmap);
      if (ticket !== this.ticket) return;
      this.paint(ready, photo.bitmap, found[0]!, found[1]!);
      this.tell(null);
    } catch (error) {
      if (ticket === this.ticket) this.tell(message(error));
    } finally {
      if (ticket === this.ticket) this.stages.forEach((stage) => (stage.busy = false));
    }
  }

  private paint(ready: Ready, picture: ImageBitmap, first: Analysis, second: Analysis): void {
    const { meaning } = ready.manifest;
    [first, second].forEach((each, place) => {
      const artefact = ready.artefacts.find(({ recipe }) => recipe === each.recipe)!;
      this.stages[place]!.showPicture(picture);
      this.stages[place]!.showLayer(each, meaning !== "class-logits");
      const took = `${milliseconds(each.times.inference)} ms`;
      this.captions[place]!.textContent =
        [each.recipe, megabytes(artefact.bytes), took].join(" · ");
    });
    const a = toMap(first.output, meaning, first.channels);
    const b = toMap(second.output, meaning, second.channels);
    const { cc, maxAbs } = difference(a, b);
    this.paintApart(picture, first, a, b, maxAbs);
    const values = difference(first.output, second.output);
    this.figures.hidden = false;
    this.figures.dataset["cc"] = String(cc);
    this.figures.replaceChildren(
      ...entry("Correlation of the maps", cc === null ? "a map is constant" : cc.toFixed(5)),
      ...entry("Largest difference of the maps", maxAbs.toFixed(4)),
      ...entry("Largest difference of the outputs", values.maxAbs.toFixed(4)),
    );
    this.legend.show(first.shares, classesOf(ready.manifest));
  }

  /** The largest difference over all channels at each pixel, brightest where it is largest. */
  private paintApart(
    picture: ImageBitmap,
    { height, width }: Analysis,
    a: Float32Array,
    b: Float32Array,
    most: number,
  ): void {
    const plane = height * width;
    const map = new Float32Array(plane);
    for (let i = 0; i < a.length; i++) {
      map[i % plane] = Math.max(map[i % plane]!, Math.abs(a[i]! - b[i]!));
    }
    this.apart.showPicture(picture);
    this.apart.showLayer({ layer: heatLayer(map), height, width }, true);
    this.apartCaption.textContent = `difference, up to ${most.toFixed(4)}`;
  }
}

function entry(term: string, value: string): [HTMLElement, HTMLElement] {
  return [h("dt", {}, term), h("dd", {}, value)];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
