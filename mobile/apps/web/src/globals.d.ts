import type { CheckResult } from "./ui/check_page";
import type { Analysis } from "./engine/protocol";

declare global {
  /** Of LiteRT.js, from its package. */
  const __LITERT_VERSION__: string;

  interface Window {
    /** The result of the last check, for tests. */
    foveaCheck?: { readonly state: "pass" | "fail"; readonly results: readonly CheckResult[] };
    /** The last map of a photograph, for tests. */
    foveaMap?: Analysis | null;
  }
}
