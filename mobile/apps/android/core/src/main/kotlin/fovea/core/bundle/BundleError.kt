package fovea.core.bundle

import fovea.core.FoveaError

/** Why a bundle is refused, by the names of the contract. */
enum class Problem(val word: String) {
    MISSING_MANIFEST("missing-manifest"),
    NOT_JSON("not-json"),
    MISSING_PART("missing-part"),
    MISSING_FILE("missing-file"),
    LENGTH("length"),
    HASH("hash"),
    OUTSIDE("outside"),
    SCHEMA("schema"),
    TASK("task"),
    MEANING("meaning"),
    RESIZE("resize"),
}

/** A bundle that is not opened. */
class BundleError(val problem: Problem, message: String) : FoveaError(message)
