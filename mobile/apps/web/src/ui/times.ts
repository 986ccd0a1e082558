import { percentile, Recent } from "../core/stats";
import type { RunTimes } from "../engine/protocol";
import { h } from "./dom";

const KEPT = 100;
/** Fewer say more of a cold start than of the work. */
const LEAST_FOR_SHARE = 5;
const QUANTILES = [0.5, 0.9, 0.99] as const;
const ROWS = [
  ["pre", "Before: resize"],
  ["inference", "Inference"],
  ["post", "After: map, layer"],
  ["total", "Total"],
] as const;

/** Percentiles of the last runs, split by what was done. */
export class Times {
  readonly element: HTMLElement;
  private readonly caption = h("caption");
  private readonly body = h("tbody");
  private readonly share = h("p", { class: "quiet", id: "share" });
  private recent = emptied();

  constructor() {
    const names = QUANTILES.map((q) => h("th", {}, `p${q * 100}`));
    const head = h("tr", {}, h("th", {}, "ms"), ...names);
    const table = h("table", { class: "times" }, this.caption, h("thead", {}, head), this.body);
    this.element = h("section", { class: "panel", hidden: true }, table, this.share);
  }

  clear(): void {
    this.recent = emptied();
    this.element.hidden = true;
  }

  add(times: RunTimes): void {
    const { pre, inference, post } = times;
    const all = { pre, inference, post, total: pre + inference + post };
    for (const [name] of ROWS) this.recent[name].add(all[name]);
    this.show();
  }

  /** Median milliseconds around inference over those of inference. */
  private get aroundInference(): number {
    const median = (name: keyof typeof this.recent): number =>
      percentile(this.recent[name].list(), 0.5);
    return (median("pre") + median("post")) / median("inference");
  }

  private show(): void {
    const count = this.recent.total.list().length;
    this.element.hidden = false;
    this.element.dataset["runs"] = String(count);
    const words = count === 1 ? "Times of this run" : `Times of the last ${count} runs`;
    this.caption.textContent = words;
    this.body.replaceChildren(
      ...ROWS.map(([name, words]) => {
        const values = this.recent[name].list();
        const cells = QUANTILES.map((q) => h("td", {}, milliseconds(percentile(values, q))));
        return h("tr", { class: name }, h("th", { scope: "row" }, words), ...cells);
      }),
    );
    const share = this.aroundInference;
    this.share.hidden = count < LEAST_FOR_SHARE;
    this.share.dataset["share"] = String(share);
    this.share.textContent = `Before and after take ${(100 * share).toFixed(1)} % of inference.`;
  }
}

export function milliseconds(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function emptied(): Record<"pre" | "inference" | "post" | "total", Recent> {
  return {
    pre: new Recent(KEPT),
    inference: new Recent(KEPT),
    post: new Recent(KEPT),
    total: new Recent(KEPT),
  };
}
