import type { App, Choice, Ready } from "../app";
import { described } from "../engine/engine";
import type { Settings } from "../engine/protocol";
import { choice, h, message } from "./dom";
import type { Page, Tell } from "./page";
import type { Photos } from "./photos";

const MOST_THREADS = 8;

/** What is around the pages: which bundle, which file, what runs it, and what went wrong. */
export class Shell {
  readonly element: HTMLElement;
  private readonly pages: readonly Page[];
  private readonly problem = h("p", { class: "problem", role: "alert", hidden: true });
  private readonly retry = h("button", {
    type: "button", class: "button retry", hidden: true, click: () => void this.start(),
  }, "Try again");
  private readonly notes = h("div", { class: "notes", role: "status" });
  private readonly about = h("footer", { class: "quiet" });
  private readonly content = h("main");
  private readonly links: readonly HTMLAnchorElement[];
  private readonly bundle = choice("Bundle", "bundle", (bundle) =>
    this.change({ bundle, recipe: null }));
  private readonly recipe = choice("File", "recipe", (recipe) => this.change({ recipe }));
  private readonly place = choice("Runs on", "accelerator", (value) =>
    this.change({ settings: parseSettings(value) }));
  private chosen: Choice;
  private ready: Ready | null = null;
  private page: Page | null = null;
  private ticket = 0;

  constructor(
    private readonly app: App,
    private readonly photos: Photos,
    pages: (tell: Tell) => readonly Page[],
    private readonly opened: (ready: Ready) => void,
  ) {
    this.pages = pages((problem) => this.tell(problem));
    this.chosen = fromAddress();
    this.links = this.pages.map(({ name, title }) => h("a", { href: `#${name}` }, title));
    const brand = h("a", { class: "brand", href: "#photo" },
      h("img", { src: "./icon.svg", alt: "", width: 28, height: 28 }), "Fovea");
    const choices = [this.bundle, this.recipe, this.place].map(({ element }) => element);
    this.element = h(
      "div", { class: "shell" },
      h("header", {}, brand, h("div", { class: "choices" }, ...choices)),
      h("nav", { "aria-label": "pages" }, ...this.links),
      this.problem, this.retry, this.notes, this.content, this.about,
    );
    addEventListener("hashchange", () => void this.turn());
    photos.addEventListener("problem", (event) => this.tell((event as CustomEvent<string>).detail));
  }

  /** List the bundles and open the one of the address, or the first. */
  async start(): Promise<void> {
    await this.turn();
    try {
      const names = await this.app.list();
      const bundle = names.includes(this.chosen.bundle) ? this.chosen.bundle : names[0]!;
      this.chosen = { ...this.chosen, bundle };
      this.bundle.offer(names.map((name) => [name, name]), bundle);
    } catch (error) {
      this.state = "failed";
      this.tell(message(error));
      return;
    }
    await this.open();
  }

  /** A photograph has come from outside: show a page that takes one. */
  needPhotos(): void {
    if (this.page?.name !== "photo" && this.page?.name !== "compare") location.hash = "photo";
  }

  private change(part: Partial<Choice>): void {
    this.chosen = { ...this.chosen, ...part };
    const { ready } = this;
    const onlyFile = Object.keys(part).join() === "recipe" && ready && part.recipe;
    void (onlyFile ? this.take(ready, part.recipe!) : this.open());
  }

  /** Another file of the open bundle, in the runtime that is there. */
  private async take(ready: Ready, recipe: string): Promise<void> {
    const ticket = ++this.ticket;
    try {
      const note = await ready.ensure(recipe);
      if (ticket !== this.ticket) return;
      await this.shown(ready.withRecipe(recipe), note ? [note] : ready.opened.notes);
    } catch (error) {
      if (ticket === this.ticket) this.tell(message(error));
    }
  }

  private async open(): Promise<void> {
    const ticket = ++this.ticket;
    this.state = "opening";
    this.tell(null);
    this.say([`Opening ${this.chosen.bundle} …`]);
    try {
      const opening = this.app.open(this.chosen);
      // Samples are decoded while the runtime still starts; what fails, `opening` tells.
      this.app.bundle(this.chosen.bundle).then((b) => this.photos.use(b), () => {});
      const ready = await opening;
      if (ticket !== this.ticket) return ready.engine.close();
      const before = this.ready;
      await this.shown(ready, ready.opened.notes);
      before?.engine.close();
      this.opened(ready);
    } catch (error) {
      if (ticket !== this.ticket) return;
      this.state = "failed";
      this.say([]);
      this.tell(message(error));
    }
  }

  private async shown(ready: Ready, notes: readonly string[]): Promise<void> {
    this.ready = ready;
    const { manifest, opened, recipe } = ready;
    this.chosen = { bundle: this.chosen.bundle, recipe, settings: opened.settings };
    this.recipe.offer(ready.artefacts.map((each) => [each.recipe, words(each)]), recipe);
    this.place.offer(places(), JSON.stringify(opened.settings));
    const { name, source, height, width } = manifest;
    this.about.textContent = `${name} · sees ${width} × ${height} pixels · ${source}`;
    this.say(notes);
    toAddress(this.chosen);
    await this.page?.show(ready);
    await this.photos.use(ready.bundle);
    this.state = "ready";
  }

  private async turn(): Promise<void> {
    const name = location.hash.slice(1);
    const page = this.pages.find((each) => each.name === name) ?? this.pages[0]!;
    if (page === this.page) return;
    this.page?.hide();
    this.page = page;
    if (this.ready) this.tell(null);
    this.content.replaceChildren(page.element);
    this.links.forEach((link) => {
      if (link.hash === `#${page.name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    if (this.ready) await page.show(this.ready);
  }

  private tell(problem: string | null): void {
    this.problem.hidden = problem === null;
    this.problem.textContent = problem;
  }

  private say(notes: readonly string[]): void {
    this.notes.replaceChildren(...notes.map((note) => h("p", {}, note)));
  }

  private set state(value: "opening" | "ready" | "failed") {
    this.element.dataset["state"] = value;
    this.retry.hidden = value !== "failed";
  }
}

function words({ bytes, recipe }: Ready["artefacts"][number]): string {
  return `${recipe} · ${(bytes / 1e6).toFixed(1)} MB`;
}

/** WASM on as many threads as this page may have, and WebGPU where the browser has it. */
function places(): [string, string][] {
  const most = Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS);
  const cores = self.crossOriginIsolated ? most : 1;
  const threads = [1, 2, 4, 8].filter((count) => count <= cores);
  const all: Settings[] = threads.map((count) => ({ accelerator: "wasm", threads: count }));
  // Offered even where it is absent: the page then says why, and goes on without it.
  all.push({ accelerator: "webgpu", threads: 1 });
  return all.map((settings) => [JSON.stringify(settings), described(settings)]);
}

function parseSettings(value: string): Settings {
  return JSON.parse(value) as Settings;
}

/** The address keeps the choice, so that a reload or a link opens the same. */
function fromAddress(): Choice {
  const query = new URLSearchParams(location.search);
  const threads = self.crossOriginIsolated ? Number(query.get("threads")) : 1;
  const most = Math.min(navigator.hardwareConcurrency || 1, MOST_THREADS);
  return {
    bundle: query.get("bundle") ?? "",
    recipe: query.get("recipe"),
    settings: {
      accelerator: query.get("on") === "webgpu" ? "webgpu" : "wasm",
      threads: Number.isInteger(threads) ? Math.max(1, Math.min(threads, most)) : 1,
    },
  };
}

function toAddress({ bundle, recipe, settings }: Choice): void {
  const query = new URLSearchParams({ bundle, recipe: recipe ?? "", on: settings.accelerator });
  if (settings.threads > 1) query.set("threads", String(settings.threads));
  history.replaceState(null, "", `?${query}${location.hash}`);
}
