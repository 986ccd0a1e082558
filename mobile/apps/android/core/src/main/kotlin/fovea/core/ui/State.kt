package fovea.core.ui

import fovea.core.bundle.Bundle
import fovea.core.bundle.Manifest
import fovea.core.layer.LegendEntry
import fovea.core.run.StageTimes
import fovea.core.run.canCutOut
import fovea.core.run.runnable

/** All that the screens show; they draw it and nothing else. */
data class State(
    val screen: Screen = Screen.PHOTO,
    val names: List<String> = emptyList(),
    val bundle: BundleFacts? = null,
    /** The recipe that runs; null while none is loaded. */
    val recipe: String? = null,
    val opacityPercent: Int = 70,
    val look: Look = Look.LAYER,
    val legend: List<LegendEntry> = emptyList(),
    val times: StageTimes? = null,
    val hasPicture: Boolean = false,
    val camera: Camera = Camera.OFF,
    /** What is being done, in words; buttons that would start another thing are off meanwhile. */
    val busy: String? = null,
    val notices: List<Notice> = emptyList(),
    val checks: List<CheckLine> = emptyList(),
    val measured: List<MeasuredLine> = emptyList(),
) {
    val idle: Boolean get() = busy == null

    /** Whether something can be predicted now. */
    val ready: Boolean get() = recipe != null && idle
}

enum class Screen(val title: String) {
    PHOTO("Photo"),
    CAMERA("Camera"),
    CHECK("Check"),
    BENCHMARK("Benchmark"),
    ABOUT("About"),
}

enum class Look(val title: String) {
    LAYER("Layer"),
    CUT_OUT("Cut-out"),
}

enum class Camera { OFF, ASKING, STARTING, LIVE, REFUSED, FAILED }

/** Something said on screen until it is read. */
data class Notice(val text: String, val problem: Boolean)

/** What screens say of an opened bundle. */
data class BundleFacts(
    val name: String,
    val task: String,
    val source: String,
    val size: String,
    val recipes: List<RecipeFacts>,
    val canCutOut: Boolean,
    val goldenVectors: Int,
) {
    companion object {
        fun of(bundle: Bundle, backends: Set<String>): BundleFacts = of(bundle.manifest, bundle.files.name, backends)

        fun of(manifest: Manifest, name: String, backends: Set<String>) = BundleFacts(
            name,
            manifest.task.word,
            manifest.source,
            "${manifest.width} x ${manifest.height}",
            runnable(manifest, backends).map { RecipeFacts(it.recipe, it.precision, it.backend, it.bytes) },
            canCutOut(manifest),
            manifest.golden.size,
        )
    }
}

data class RecipeFacts(val name: String, val precision: String, val backend: String, val bytes: Long) {
    val text: String get() = "$name (${"%.1f".format(bytes / 1048576.0)} MiB)"
}

/** A line of the check screen; [passed] is null for a file that did not load. */
data class CheckLine(val recipe: String, val golden: String, val passed: Boolean?, val text: String)

data class MeasuredLine(val recipe: String, val text: String, val row: String?)
