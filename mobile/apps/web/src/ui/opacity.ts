import { h } from "./dom";
import type { Stage } from "./stage";

const FIRST = 85;

/** A slider for how much of the layer is seen. */
export class Opacity {
  readonly element: HTMLElement;

  constructor(...stages: readonly Stage[]) {
    const input = h("input", {
      type: "range", min: 0, max: 100, value: FIRST, "aria-label": "Opacity of the map",
      input: () => apply(),
    });
    const shown = h("output");
    const apply = (): void => {
      for (const stage of stages) stage.opacity = input.valueAsNumber / 100;
      shown.textContent = `${input.value} %`;
    };
    this.element = h("label", { class: "opacity" }, h("span", {}, "Map"), input, shown);
    apply();
  }
}
