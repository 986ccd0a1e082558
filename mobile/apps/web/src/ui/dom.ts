type Child = Node | string | null;
type Properties = Readonly<Record<string, string | number | boolean | ((event: any) => void)>>;

/** An element: functions listen to the event of their name, the rest are attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A labelled choice; `pick` hears of the person's choices only. */
export function choice(label: string, id: string, pick: (value: string) => void): Choices {
  const select = h("select", { id, change: () => pick(select.value) });
  const element = h("label", { class: "choice", for: id }, h("span", {}, label), select);
  return {
    element,
    offer(values, current) {
      select.replaceChildren(
        ...values.map(([value, words]) => new Option(words, value, false, value === current)),
      );
      select.disabled = values.length < 2;
    },
  };
}

export interface Choices {
  readonly element: HTMLElement;
  /** Pairs of value and words. */
  offer(values: readonly (readonly [string, string])[], current: string): void;
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Let the person keep `file` under `name`. */
export function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
