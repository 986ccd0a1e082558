import type { Ready } from "../app";
import { classesOf } from "../core/models";
import { type Camera, type Facing, hasSeveralCameras, nextFrame, startCamera } from "../io/camera";
import { h, message } from "./dom";
import { Legend } from "./legend";
import { Opacity } from "./opacity";
import type { Page, Tell } from "./page";
import { Stage } from "./stage";
import { Times } from "./times";

/** The camera with its map, live. */
export class CameraPage implements Page {
  readonly name = "camera";
  readonly title = "Camera";
  readonly element: HTMLElement;
  private readonly stage = new Stage("The camera is off");
  private readonly legend = new Legend();
  private readonly times = new Times();
  private readonly rate = h("p", { class: "quiet", id: "rate" });
  private readonly toggle = h("button", {
    type: "button", class: "button primary", id: "camera-toggle", click: () => void this.switch(),
  }, "Start the camera");
  private readonly turn = h("button", {
    type: "button", class: "button", hidden: true, click: () => void this.turned(),
  }, "Other camera");
  private ready: Ready | null = null;
  private camera: Camera | null = null;
  private facing: Facing = "environment";

  constructor(private readonly tell: Tell) {
    const opacity = new Opacity(this.stage);
    const side = h(
      "div", { class: "side" },
      h("div", { class: "picker" }, this.toggle, this.turn),
      opacity.element, this.legend.element, this.times.element,
    );
    const shown = h("div", { class: "shown" }, this.stage.element, this.rate);
    this.element = h("div", { class: "page split" }, shown, side);
  }

  async show(ready: Ready): Promise<void> {
    this.ready = ready;
    this.times.clear();
  }

  hide(): void {
    this.stop();
  }

  private async switch(): Promise<void> {
    if (this.camera) return this.stop();
    this.toggle.disabled = true;
    try {
      const camera = await startCamera(this.facing);
      if (!this.element.isConnected) return camera.stop();
      this.camera = camera;
      this.toggle.textContent = "Stop the camera";
      this.stage.showVideo(camera.video, camera.mirrored);
      this.turn.hidden = !(await hasSeveralCameras());
      this.tell(null);
      void this.follow(camera);
    } catch (error) {
      this.tell(message(error));
    } finally {
      this.toggle.disabled = false;
    }
  }

  private async turned(): Promise<void> {
    this.facing = this.facing === "user" ? "environment" : "user";
    this.stop();
    await this.switch();
  }

  private stop(): void {
    this.camera?.stop();
    this.camera = null;
    this.toggle.textContent = "Start the camera";
    this.rate.textContent = "";
    this.stage.clear();
    this.legend.show([], []);
  }

  /** One frame after the other: a frame that comes during a run is never waited for. */
  private async follow(camera: Camera): Promise<void> {
    let last = performance.now();
    while (this.camera === camera) {
      await nextFrame(camera.video);
      const { ready } = this;
      if (this.camera !== camera || !ready) return;
      try {
        const frame = await createImageBitmap(camera.video);
        const [found] = await ready.engine.analyse([ready.recipe], frame);
        if (this.camera !== camera) return;
        // The bundle may have been exchanged meanwhile; its map is not this one's.
        if (this.ready !== ready) continue;
        this.stage.showLayer(found!, ready.manifest.meaning !== "class-logits");
        this.legend.show(found!.shares, classesOf(ready.manifest));
        this.times.add(found!.times);
        const now = performance.now();
        this.rate.textContent = `${(1000 / (now - last)).toFixed(1)} maps a second`;
        last = now;
      } catch (error) {
        if (this.ready !== ready) continue;
        this.tell(message(error));
        this.stop();
      }
    }
  }
}
