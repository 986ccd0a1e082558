package fovea.core.run

import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.bundle.Manifest
import fovea.core.bundle.Meaning
import fovea.core.bundle.Task
import fovea.core.image.PixelRows
import fovea.core.image.Pixels
import fovea.core.layer.LegendEntry
import fovea.core.layer.Palette
import fovea.core.layer.classLayer
import fovea.core.layer.heatLayer
import fovea.core.values.Planes
import fovea.core.values.Triangle
import fovea.core.values.mapOf

/** What a photograph gave: the map (class logits as they are), its layer, and where the time went. */
class Prediction(val map: Planes, val layer: Pixels, val legend: List<LegendEntry>, val times: StageTimes)

/** Milliseconds of the stages of one photograph. */
data class StageTimes(val prepareMs: Double, val runMs: Double, val layerMs: Double) {
    /** What the app adds to the model's own time, as a share of it. */
    val overhead: Double get() = (prepareMs + layerMs) / runMs
}

/** The way of a photograph, from its upright pixels to the layer over it. */
class Predictor(
    private val manifest: Manifest,
    private val artefact: Artefact,
    private val engine: Engine,
    private val palette: Palette,
    private val nanos: () -> Long = System::nanoTime,
) {
    fun predict(photo: PixelRows): Prediction {
        val started = nanos()
        val input = Triangle.resize(photo, manifest.height, manifest.width, artefact.layout)
        val prepared = nanos()
        val values = engine.run(input)
        val ran = nanos()
        val output = planes(values)
        return if (manifest.meaning == Meaning.CLASS_LOGITS) {
            val made = classLayer(output, manifest.classes)
            Prediction(output, made.layer, made.legend, times(started, prepared, ran))
        } else {
            val map = mapOf(output, manifest.meaning)
            Prediction(map, heatLayer(map, palette), emptyList(), times(started, prepared, ran))
        }
    }

    private fun planes(values: FloatArray): Planes {
        val (_, channels, height, width) = manifest.outputShape
        if (values.size != channels * height * width) {
            throw FoveaError(
                "${artefact.recipe} gives ${values.size} values, the manifest says ${manifest.outputShape}; " +
                    "export the student again",
            )
        }
        if (values.any { !it.isFinite() }) {
            throw FoveaError("${artefact.recipe} gives numbers that are not finite on this phone; choose another recipe")
        }
        return Planes(channels, height, width, values)
    }

    private fun times(started: Long, prepared: Long, ran: Long): StageTimes =
        StageTimes(millis(prepared - started), millis(ran - prepared), millis(nanos() - ran))
}

/** Whether a bundle's map can cut an object out of a photograph. */
fun canCutOut(manifest: Manifest): Boolean =
    manifest.task == Task.SALIENT_OBJECT && manifest.meaning == Meaning.LOGITS

internal fun millis(nanos: Long): Double = nanos / 1e6
