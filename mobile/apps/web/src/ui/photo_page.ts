import type { Ready } from "../app";
import { classesOf } from "../core/models";
import type { Analysis } from "../engine/protocol";
import { download, h, message } from "./dom";
import { Legend } from "./legend";
import { Opacity } from "./opacity";
import type { Page, Tell } from "./page";
import { type Photos, picker } from "./photos";
import { Stage } from "./stage";
import { Times } from "./times";

const MEASURED_RUNS = 20;

/** A photograph with its map. */
export class PhotoPage implements Page {
  readonly name = "photo";
  readonly title = "Photo";
  readonly element: HTMLElement;
  private readonly stage = new Stage("Choose, drop or paste a photograph");
  private readonly legend = new Legend();
  private readonly times = new Times();
  private readonly note = h("p", { class: "quiet", id: "photo-note" });
  private readonly opacity = new Opacity(this.stage);
  private readonly cutting = h("input", {
    type: "checkbox", role: "switch", change: () => void this.turn(),
  });
  private readonly keep = h("button", {
    type: "button", class: "button", click: () => void this.save(),
  }, "Download PNG");
  private readonly cut = h(
    "div", { class: "cutting", hidden: true },
    h("label", { class: "switch" }, this.cutting, "Cut out"), this.keep,
  );
  private readonly again = h("button", {
    type: "button", class: "button", click: () => void this.measure(),
  }, `Run ${MEASURED_RUNS} times`);
  private ready: Ready | null = null;
  private found: Analysis | null = null;
  private ticket = 0;

  constructor(private readonly photos: Photos, private readonly tell: Tell) {
    this.keep.disabled = true;
    const side = h(
      "div", { class: "side" },
      picker(photos), this.opacity.element, this.cut, this.legend.element, this.times.element,
      this.again,
    );
    const shown = h("div", { class: "shown" }, this.stage.element, this.note);
    this.element = h("div", { class: "page split" }, shown, side);
    photos.addEventListener("change", () => void this.run());
  }

  async show(ready: Ready): Promise<void> {
    if (this.ready?.engine !== ready.engine || this.ready.recipe !== ready.recipe) {
      this.times.clear();
      this.found = null;
    }
    this.ready = ready;
    this.cut.hidden = ready.manifest.task !== "salient_object";
    if (this.photos.current && !this.found) await this.run();
  }

  hide(): void {}

  private async run(): Promise<void> {
    const { ready } = this;
    const photo = this.photos.current;
    if (!ready || !photo || !this.element.isConnected) {
      this.found = null;
      return;
    }
    const ticket = ++this.ticket;
    this.stage.busy = true;
    try {
      const [found] = await ready.engine.analyse([ready.recipe], await copy(photo.bitmap));
      if (ticket !== this.ticket) return;
      this.found = found!;
      this.stage.showPicture(photo.bitmap);
      const size = `${photo.bitmap.width} × ${photo.bitmap.height}`;
      const said = [photo.name, size, photo.note].filter((words) => words !== null);
      this.note.textContent = said.join(" · ");
      this.times.add(found!.times);
      this.legend.show(found!.shares, classesOf(ready.manifest));
      await this.paint();
      this.tell(null);
      this.mark();
    } catch (error) {
      if (ticket === this.ticket) this.tell(message(error));
    } finally {
      if (ticket === this.ticket) this.stage.busy = false;
    }
  }

  /** Draw what was found, as a layer or as a cut-out. */
  private async paint(): Promise<void> {
    const { ready, found } = this;
    const photo = this.photos.current;
    if (!ready || !found || !photo) return;
    const cutting = this.cutting.checked && found.map !== null && !this.cut.hidden;
    this.keep.disabled = !cutting;
    this.opacity.element.hidden = cutting;
    if (!cutting) {
      this.stage.showLayer(found, ready.manifest.meaning !== "class-logits");
      return;
    }
    const { rgba, width, height } = await ready.engine.cutOut(
      await copy(photo.bitmap), found.map, found.height, found.width,
    );
    if (this.found === found) this.stage.showCutOut(rgba, width, height);
  }

  /** To the cut-out, or back. */
  private async turn(): Promise<void> {
    try {
      await this.paint();
    } catch (error) {
      this.tell(message(error));
    }
  }

  private async measure(): Promise<void> {
    this.again.disabled = true;
    for (let i = 0; i < MEASURED_RUNS && this.element.isConnected; i++) await this.run();
    this.again.disabled = false;
  }

  private async save(): Promise<void> {
    try {
      const name = this.photos.current?.name.replace(/\.[^.]+$/, "") ?? "photograph";
      download(await this.stage.png(), `${name}.cutout.png`);
    } catch (error) {
      this.tell(message(error));
    }
  }

  /** What is on screen, for tests and for measuring the first map. */
  private mark(): void {
    const { found } = this;
    if (performance.getEntriesByName("fovea:first-map").length === 0) {
      performance.mark("fovea:first-map");
    }
    this.element.dataset["map"] = `${this.photos.current?.name} ${found?.recipe}`;
    window.foveaMap = found;
  }
}

/** The worker closes what it is given, and the page still needs its own. */
function copy(picture: ImageBitmap): Promise<ImageBitmap> {
  return createImageBitmap(picture, { colorSpaceConversion: "none" });
}
