import type { ClassName } from "../core/manifest";
import { h } from "./dom";

/** The classes that occur with their shares, the largest first. */
export class Legend {
  readonly element = h("ul", { class: "legend panel", "aria-label": "classes", hidden: true });

  show(shares: readonly (readonly [number, number])[], classes: readonly ClassName[]): void {
    this.element.hidden = shares.length === 0;
    this.element.replaceChildren(
      ...shares.map(([index, share]) => {
        const { name, colour } = classes[index]!;
        const swatch = h("span", { class: "swatch", style: `background:${colour}` });
        return h("li", {}, swatch, h("span", {}, name), h("b", {}, percent(share)));
      }),
    );
  }
}

function percent(share: number): string {
  return share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`;
}
