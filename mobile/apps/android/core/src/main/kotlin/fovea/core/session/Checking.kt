package fovea.core.session

import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.bundle.Bundle
import fovea.core.golden.goldenInput
import fovea.core.golden.runGolden
import fovea.core.time.Plan
import fovea.core.time.Stopped
import fovea.core.time.latencyLine
import fovea.core.time.measure
import fovea.core.ui.CheckLine
import fovea.core.ui.MeasuredLine
import fovea.core.values.tensor

/** The golden vectors of one file; a file that does not load is a line, too. */
internal fun checked(device: Device, bundle: Bundle, artefact: Artefact): List<CheckLine> = try {
    device.opener(bundle).open(artefact, device.threads).use { engine ->
        runGolden(bundle, artefact, engine, device.decoder).map { result ->
            val against = if (result.own) "" else "against torch: "
            CheckLine(result.recipe, result.golden, result.verdict.passed, against + result.verdict.text)
        }
    }
} catch (error: OutOfMemoryError) {
    throw error
} catch (error: Throwable) { // native runtimes fail with errors, not only exceptions
    listOf(CheckLine(artefact.recipe, "", null, "did not run: ${error.message ?: error.javaClass.simpleName}"))
}

/** The times of one file on the first golden input; null where the user stopped it. */
internal fun measured(device: Device, bundle: Bundle, artefact: Artefact, stopped: () -> Boolean): MeasuredLine? = try {
    val plan = Plan()
    val golden = bundle.manifest.golden.firstOrNull()
        ?: throw FoveaError("the bundle has no golden input to measure on; build it again")
    val input = goldenInput(bundle, golden.input, device.decoder)
    val found = measure(plan, device.surroundings, tensor(input, artefact.layout), stopped) {
        device.opener(bundle).open(artefact, device.threads)
    }
    val row = latencyLine(bundle.manifest, artefact, input, device.threads, plan, found, device.place)
    device.keep(row)
    val times = found.first.times
    val text = "median %.2f ms, p90 %.2f ms, load %.0f ms".format(times.p50, times.p90, found.first.loadMs)
    val warm = found.first.thermalStatus?.let { ", thermal status $it" } ?: ""
    MeasuredLine(artefact.recipe, text + warm, row)
} catch (_: Stopped) {
    null
} catch (error: OutOfMemoryError) {
    throw error
} catch (error: Throwable) { // native runtimes fail with errors, not only exceptions
    MeasuredLine(artefact.recipe, "did not run: ${error.message ?: error.javaClass.simpleName}", null)
}
