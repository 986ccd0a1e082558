import { type Bundle, contents } from "../core/verify";
import { decodePhoto, type Photo } from "../io/decode";
import { h, message } from "./dom";

/** The photograph that the pages share; "change" and "problem" tell of it. */
export class Photos extends EventTarget {
  current: Photo | null = null;
  private bundle: Bundle | null = null;
  private wanted = 0;

  /** Offer the samples of a bundle; the first is shown where nothing is yet. */
  async use(bundle: Bundle): Promise<void> {
    if (bundle === this.bundle) return;
    this.bundle = bundle;
    this.dispatchEvent(new Event("samples"));
    if (!this.current && bundle.manifest.golden.length > 0) await this.sample(0);
  }

  get samples(): readonly { readonly name: string; readonly file: Blob }[] {
    const { bundle } = this;
    if (!bundle) return [];
    return bundle.manifest.golden.map(({ name, input }) => ({
      name,
      file: new Blob([contents(bundle, input)], { type: "image/png" }),
    }));
  }

  async sample(index: number): Promise<void> {
    const { name, file } = this.samples[index]!;
    await this.take(file, name);
  }

  async take(file: Blob, name: string): Promise<void> {
    const ticket = ++this.wanted;
    try {
      const photo = await decodePhoto(file, name);
      if (ticket !== this.wanted) return photo.bitmap.close();
      this.current?.bitmap.close();
      this.current = photo;
      this.dispatchEvent(new Event("change"));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("problem", { detail: message(error) }));
    }
  }
}

/** Button and samples to choose a photograph by. */
export function picker(photos: Photos): HTMLElement {
  const input = h("input", {
    type: "file", accept: "image/*,.heic,.heif", class: "file", "aria-label": "Choose a photograph",
    change: () => {
      const [file] = input.files ?? [];
      input.value = "";
      if (file) void photos.take(file, file.name);
    },
  });
  const strip = h("div", { class: "samples", role: "group", "aria-label": "samples" });
  const offer = (): void => {
    const children = photos.samples.map(({ name, file }, index) => {
      const image = h("img", { src: URL.createObjectURL(file), alt: name, loading: "lazy" });
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      return h("button", {
        class: "sample", type: "button", title: `Sample ${name}`,
        click: () => void photos.sample(index),
      }, image);
    });
    strip.replaceChildren(...children);
  };
  photos.addEventListener("samples", offer);
  const button = h("label", { class: "button primary" }, input, "Choose a photograph");
  return h("div", { class: "picker" }, button, strip);
}

/** Photographs dropped on the page or pasted into it. */
export function listenForPhotos(photos: Photos, arrived: () => void): void {
  const take = (list: DataTransfer | null, event: Event): void => {
    const file = [...(list?.files ?? [])][0];
    if (!file) return;
    event.preventDefault();
    arrived();
    void photos.take(file, file.name);
  };
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  for (const name of ["dragleave", "drop"]) {
    addEventListener(name, () => document.body.classList.remove("dropping"));
  }
  addEventListener("drop", (event) => take(event.dataTransfer, event));
  addEventListener("paste", (event) => take(event.clipboardData, event));
}
