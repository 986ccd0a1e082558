import type { Ready } from "../app";

/** One of the app's pages. */
export interface Page {
  readonly name: string;
  readonly title: string;
  readonly element: HTMLElement;
  /** The page is on screen, with what is open now; called again when that changes. */
  show(ready: Ready): Promise<void>;
  hide(): void;
}

/** Where pages say what went wrong, or that nothing does any more. */
export type Tell = (problem: string | null) => void;
