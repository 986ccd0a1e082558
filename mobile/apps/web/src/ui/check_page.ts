import type { Ready } from "../app";
import { judge, reference } from "../core/golden";
import type { Bounds } from "../core/manifest";
import { h, message } from "./dom";
import type { Page, Tell } from "./page";

/** One file on one golden input. */
export interface CheckResult {
  readonly recipe: string;
  readonly golden: string;
  readonly pass: boolean;
  readonly cc: number | null;
  readonly maxAbs: number | null;
  readonly bounds: Bounds | null;
  readonly against: "own" | "torch";
  /** Why there are no figures. */
  readonly problem: string | null;
}

const HEAD = ["", "File", "Input", "Difference", "Correlation", "Against"] as const;

/** Every file of the bundle on every golden input, held to what the bundle says. */
export class CheckPage implements Page {
  readonly name = "check";
  readonly title = "Check";
  readonly element: HTMLElement;
  private readonly summary = h("p", { class: "verdict", role: "status" });
  private readonly body = h("tbody");
  private readonly again = h("button", {
    type: "button", class: "button", click: () => void this.run(),
  }, "Check again");
  private ready: Ready | null = null;
  private ticket = 0;

  constructor(private readonly tell: Tell) {
    const head = h("tr", {}, ...HEAD.map((words) => h("th", {}, words)));
    this.element = h(
      "div", { class: "page" },
      h("div", { class: "bar" }, this.summary, this.again),
      h("div", { class: "panel scroll" },
        h("table", { class: "check" }, h("thead", {}, head), this.body)),
      h("p", { class: "quiet" },
        "Each file runs on the bundle's golden inputs, decoded and resized as photographs are. " +
        "It is held to its own output where the bundle was built, or else to torch's."),
    );
  }

  async show(ready: Ready): Promise<void> {
    this.ready = ready;
    await this.run();
  }

  hide(): void {
    this.ticket++;
  }

  private async run(): Promise<void> {
    const { ready } = this;
    if (!ready) return;
    const ticket = ++this.ticket;
    const results: CheckResult[] = [];
    this.body.replaceChildren();
    this.say("running", "Checking …");
    delete window.foveaCheck;
    this.again.disabled = true;
    for (const golden of ready.manifest.golden) {
      for (const { recipe } of ready.artefacts) {
        const result = await checked(ready, golden.name, recipe);
        if (ticket !== this.ticket) return;
        results.push(result);
        this.body.append(row(result));
      }
    }
    this.again.disabled = false;
    this.finish(results);
  }

  private finish(results: readonly CheckResult[]): void {
    const failed = results.filter(({ pass }) => !pass).length;
    const state = failed === 0 && results.length > 0 ? "pass" : "fail";
    window.foveaCheck = { state, results };
    if (results.length === 0) this.say(state, "This bundle holds no golden vectors");
    else if (failed === 0) this.say(state, `All ${results.length} golden vectors pass`);
    else this.say(state, `${failed} of ${results.length} golden vectors fail`);
    this.tell(null);
  }

  private say(state: string, words: string): void {
    this.summary.dataset["state"] = state;
    this.summary.textContent = words;
  }
}

async function checked(ready: Ready, name: string, recipe: string): Promise<CheckResult> {
  const golden = ready.manifest.golden.find((each) => each.name === name)!;
  const artefact = ready.artefacts.find((each) => each.recipe === recipe)!;
  const against = golden.outputs[recipe] ? "own" : "torch";
  try {
    await ready.ensure(recipe);
    const { bitmap } = await ready.golden(golden);
    const [found] = await ready.engine.analyse([recipe], bitmap);
    const held = reference(ready.bundle, golden, artefact);
    const verdict = judge(found!.output, held, ready.manifest.meaning, found!.channels);
    const { pass, cc, maxAbs } = verdict;
    return { recipe, golden: name, pass, cc, maxAbs, bounds: held.bounds, against, problem: null };
  } catch (error) {
    const problem = message(error);
    const none = { cc: null, maxAbs: null, bounds: null };
    return { recipe, golden: name, pass: false, ...none, against, problem };
  }
}

function figure(value: number): string {
  return value === 0 ? "0" : value.toPrecision(3);
}

function row(result: CheckResult): HTMLElement {
  const { pass, bounds, cc, maxAbs, problem } = result;
  const sign = h("td", { class: pass ? "pass" : "fail" }, pass ? "✓ pass" : "✗ fail");
  const start = [sign, h("td", {}, result.recipe), h("td", {}, result.golden)];
  if (problem !== null || maxAbs === null || bounds === null) {
    const words = h("td", { colspan: 3 }, problem ?? "");
    return h("tr", { "data-pass": String(pass) }, ...start, words);
  }
  const rest = [
    `${figure(maxAbs)} ${bounds.maxAbs === null ? "(any)" : `≤ ${figure(bounds.maxAbs)}`}`,
    cc === null ? "constant map" : `${cc.toFixed(6)} ≥ ${bounds.minCc}`,
    result.against === "own" ? "its own output" : "torch",
  ].map((words) => h("td", {}, words));
  return h("tr", { "data-pass": String(pass) }, ...start, ...rest);
}
