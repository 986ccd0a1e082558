package fovea.core.golden

import fovea.core.bundle.Artefact
import fovea.core.bundle.Golden
import fovea.core.bundle.Meaning
import fovea.core.bundle.Tolerance
import fovea.core.values.Planes
import fovea.core.values.mapOf

/** What a golden vector is compared with: the file's own output, or torch's where it has none. */
class Reference(val path: String, val tolerance: Tolerance, val own: Boolean)

fun reference(golden: Golden, artefact: Artefact): Reference =
    golden.outputs[artefact.recipe]?.let { Reference(it.path, it.tolerance, true) }
        ?: Reference(golden.torch, artefact.bounds, false)

/** Whether an output is what the reference says, and how far it is from it. */
data class Verdict(val passed: Boolean, val maxAbs: Double, val cc: Double?, val tolerance: Tolerance) {
    /** The figures, for a screen. */
    val text: String
        get() {
            val bound = tolerance.maxAbs?.let { "at most ${figure(it)}" } ?: "no bound"
            val alike = cc?.let { "CC ${"%.6f".format(it)} (at least ${tolerance.minCc})" } ?: "CC undefined"
            return "difference ${figure(maxAbs)} ($bound), $alike"
        }
}

/** Compares logits by their difference and maps by their correlation. */
fun judge(output: Planes, expected: Planes, meaning: Meaning, tolerance: Tolerance): Verdict {
    val difference = largestDifference(output.data, expected.data)
    val cc = correlation(mapOf(output, meaning).data, mapOf(expected, meaning).data)
    val near = !difference.isNaN() && (tolerance.maxAbs == null || difference <= tolerance.maxAbs)
    val alike = cc == null || cc >= tolerance.minCc
    return Verdict(near && alike, difference, cc, tolerance)
}

private fun figure(value: Double): String = "%.3g".format(value)
