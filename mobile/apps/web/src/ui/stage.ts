import type { Rgba } from "../core/layers";
import type { Analysis } from "../engine/protocol";
import { h } from "./dom";

/** Enough for any screen; more would only cost memory. */
const LONGEST_SHOWN = 2048;

/** A picture with a layer over it, which the browser enlarges and blends. */
export class Stage {
  readonly element: HTMLElement;
  private readonly base = h("canvas", { class: "base" });
  private readonly layer = h("canvas", { class: "layer", "aria-label": "map" });
  private readonly hint = h("p", { class: "hint" });
  private video: HTMLVideoElement | null = null;

  constructor(hint: string) {
    this.hint.textContent = hint;
    this.element = h("div", { class: "stage" }, this.base, this.layer, this.hint);
    this.clear();
  }

  clear(): void {
    this.video?.remove();
    this.video = null;
    this.element.classList.remove("full", "cut", "mirrored");
    this.sized(4, 3);
    this.layer.width = this.layer.height = 1;
    this.base.width = this.base.height = 1;
  }

  showPicture(picture: ImageBitmap): void {
    this.video?.remove();
    this.video = null;
    const scale = Math.min(1, LONGEST_SHOWN / Math.max(picture.width, picture.height));
    this.base.width = Math.max(1, Math.round(picture.width * scale));
    this.base.height = Math.max(1, Math.round(picture.height * scale));
    const context = drawing(this.base);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.base.width, this.base.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, this.base.width, this.base.height);
    this.filled(picture.width, picture.height);
  }

  showVideo(video: HTMLVideoElement, mirrored: boolean): void {
    video.className = "base";
    this.base.before(video);
    this.video = video;
    this.element.classList.toggle("mirrored", mirrored);
    this.filled(video.videoWidth, video.videoHeight);
  }

  showLayer(analysis: Pick<Analysis, "layer" | "width" | "height">, smooth: boolean): void {
    this.element.classList.remove("cut");
    this.layer.classList.toggle("stepped", !smooth);
    draw(this.layer, analysis.layer, analysis.width, analysis.height);
  }

  /** The layer instead of the picture, on a checkerboard. */
  showCutOut(rgba: Rgba, width: number, height: number): void {
    this.element.classList.add("cut");
    this.layer.classList.remove("stepped");
    draw(this.layer, rgba, width, height);
  }

  /** 0 hides the layer, 1 shows it as its pixels say. */
  set opacity(value: number) {
    this.element.style.setProperty("--opacity", String(value));
  }

  set busy(value: boolean) {
    this.element.classList.toggle("busy", value);
    this.element.setAttribute("aria-busy", String(value));
  }

  /** The layer as a PNG file. */
  png(): Promise<Blob> {
    return new Promise((resolve, reject) => {
      this.layer.toBlob((file) => {
        if (file) resolve(file);
        else reject(new Error("this browser could not write the PNG; try a smaller photograph"));
      }, "image/png");
    });
  }

  private filled(width: number, height: number): void {
    this.element.classList.add("full");
    this.sized(width, height);
  }

  private sized(width: number, height: number): void {
    this.element.style.setProperty("--ratio", String(width / height));
  }
}

function draw(canvas: HTMLCanvasElement, rgba: Rgba, width: number, height: number): void {
  canvas.width = width;
  canvas.height = height;
  drawing(canvas).putImageData(new ImageData(rgba, width, height), 0, 0);
}

function drawing(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no memory for the picture; try a smaller one");
  return context;
}
