import type { Ready } from "../app";
import { latencyRow } from "../core/latency";
import type { Artefact } from "../core/manifest";
import { summarise } from "../core/stats";
import { thisPlace } from "../io/place";
import { download, h, message } from "./dom";
import type { Page, Tell } from "./page";
import { milliseconds } from "./times";

/** The smallest that a published row may use, as of `mobile/timing.py`. */
const PLAN = { warmups: 5, repeats: 3, iterations: 20 } as const;
const HEAD = ["File", "MB", "load", "first", "p50", "p90", "p99", "spread"] as const;

/** Every file's milliseconds, by the project's protocol. */
export class SpeedPage implements Page {
  readonly name = "speed";
  readonly title = "Speed";
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private readonly status = h("p", { class: "quiet", role: "status" });
  private readonly start = h("button", {
    type: "button", class: "button primary", click: () => void this.measure(),
  }, "Measure");
  private readonly keep = h("button", {
    type: "button", class: "button", click: () => this.save(),
  }, "Download rows");
  private ready: Ready | null = null;
  private lines: string[] = [];
  private ticket = 0;

  constructor(private readonly tell: Tell) {
    const head = h("tr", {}, ...HEAD.map((words) => h("th", {}, words)));
    this.element = h(
      "div", { class: "page" },
      h("div", { class: "bar" }, this.start, this.keep, this.status),
      h("div", { class: "panel scroll" },
        h("table", { class: "times" }, h("thead", {}, head), this.body)),
      h("p", { class: "quiet" },
        `Milliseconds of inference alone: a first run, ${PLAN.warmups} to warm up, ` +
        `${PLAN.repeats} × ${PLAN.iterations} that count. The rows are JSON lines that ` +
        "fovea compare reads."),
    );
  }

  async show(ready: Ready): Promise<void> {
    const changed = this.ready?.engine !== ready.engine;
    this.ready = ready;
    if (!changed) return;
    this.hide();
    this.clear();
  }

  hide(): void {
    this.ticket++;
    this.start.disabled = false;
    this.status.textContent = "";
  }

  private clear(): void {
    this.lines = [];
    this.keep.disabled = true;
    this.body.replaceChildren();
  }

  private async measure(): Promise<void> {
    const { ready } = this;
    if (!ready) return;
    const ticket = ++this.ticket;
    this.clear();
    this.start.disabled = true;
    try {
      for (const artefact of ready.artefacts) {
        this.status.textContent = `Measuring ${artefact.recipe} …`;
        const { line, row } = await measured(ready, artefact);
        if (ticket !== this.ticket) return;
        this.lines.push(line);
        this.body.append(row);
      }
      this.keep.disabled = false;
      this.tell(null);
    } catch (error) {
      if (ticket === this.ticket) this.tell(message(error));
    } finally {
      if (ticket === this.ticket) {
        this.start.disabled = false;
        this.status.textContent = "";
      }
    }
    this.element.dataset["rows"] = this.lines.join("\n");
  }

  private save(): void {
    const file = new Blob([`${this.lines.join("\n")}\n`], { type: "application/jsonl" });
    download(file, `${this.ready?.manifest.name}.browser.jsonl`);
  }
}

async function measured(
  ready: Ready,
  artefact: Artefact,
): Promise<{ line: string; row: HTMLElement }> {
  const { recipe, bytes } = artefact;
  const { manifest, engine, opened } = ready;
  const [golden] = manifest.golden;
  if (!golden) throw new Error("This bundle holds no golden input to measure on");
  const fallen = await ready.ensure(recipe);
  const { bitmap } = await ready.golden(golden);
  const { samples, firstMs, input } = await engine.time(recipe, bitmap, PLAN);
  const { accelerator, threads } = opened.settings;
  const loadMs = await engine.loadMs(recipe);
  const asked = accelerator === "webgpu" ? "webgpu" : "none";
  const row = await latencyRow({
    sha256: artefact.sha256, student: manifest.name, recipe, threads, input, loadMs, firstMs,
    accelerator: { asked, obtained: fallen ? "none" : asked },
    height: manifest.height, width: manifest.width, warmups: PLAN.warmups, samples,
  }, thisPlace());
  const times = summarise(samples);
  const cells = [
    (bytes / 1e6).toFixed(1),
    ...[loadMs, firstMs, times.p50, times.p90, times.p99].map(milliseconds),
    `${(100 * times.spread).toFixed(1)} %`,
  ];
  const name = h("th", { scope: "row" }, recipe);
  const shown = h("tr", {}, name, ...cells.map((words) => h("td", {}, words)));
  return { line: JSON.stringify(row), row: shown };
}
