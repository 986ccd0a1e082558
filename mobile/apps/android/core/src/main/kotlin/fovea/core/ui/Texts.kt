package fovea.core.ui

import fovea.core.layer.LegendEntry
import fovea.core.run.StageTimes

/** `12.3 ms model + 2.1 ms around it (17 %)` */
fun timesText(times: StageTimes): String {
    val around = times.prepareMs + times.layerMs
    return "%.1f ms model + %.1f ms around it (%.0f %%)".format(times.runMs, around, 100 * times.overhead)
}

/** `sky 41 %` */
fun legendText(entry: LegendEntry): String =
    if (entry.share < LEAST_SHOWN) "${entry.name} < 1 %" else "${entry.name} ${"%.0f".format(100 * entry.share)} %"

private const val LEAST_SHOWN = 0.01

/** What the check screen concludes; null before anything ran. */
fun checkSummary(lines: List<CheckLine>): String? {
    if (lines.isEmpty()) return null
    val failed = lines.count { it.passed != true }
    return if (failed == 0) "All ${lines.size} golden vectors pass." else "$failed of ${lines.size} fail."
}

const val CAMERA_REFUSED =
    "The camera may not be used. Allow it in the system's settings, Apps, Fovea, Permissions; photographs work without."
const val CAMERA_NONE = "This device has no camera that Fovea can use; choose a photograph instead."
