/** What can be wrong with a bundle, by the names that every port uses. */
export type ProblemKind =
  | "missing-manifest"
  | "not-json"
  | "missing-part"
  | "missing-file"
  | "length"
  | "hash"
  | "outside"
  | "schema"
  | "task"
  | "meaning"
  | "resize";

const ADVICE = "install the bundle again";

/** A bundle that is not opened: what, where and what to do. */
export class BundleProblem extends Error {
  override readonly name = "BundleProblem";

  constructor(readonly kind: ProblemKind, what: string, advice: string = ADVICE) {
    super(`${what}; ${advice}`);
  }
}
