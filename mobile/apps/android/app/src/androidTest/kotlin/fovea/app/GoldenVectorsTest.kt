package fovea.app

import androidx.test.platform.app.InstrumentationRegistry
import fovea.core.bundle.Bundle
import fovea.core.bundle.readIndex
import fovea.core.golden.runGolden
import fovea.core.run.runnable
import org.junit.Assert.assertTrue
import org.junit.Test

/** Every golden vector of every file of every bundle in the app, by the runtimes of the device it runs on. */
class GoldenVectorsTest {
    private val device = AndroidDevice(InstrumentationRegistry.getInstrumentation().targetContext)

    @Test
    fun everyFileGivesWhatItGaveWhereItsBundleWasBuilt() {
        val failures = mutableListOf<String>()
        var vectors = 0
        for (name in readIndex(device.shelf())) {
            val bundle = Bundle.open(device.bundle(name))
            for (artefact in runnable(bundle.manifest, device.backends)) {
                val results = try {
                    device.opener(bundle).open(artefact, device.threads).use { runGolden(bundle, artefact, it, device.decoder) }
                } catch (error: Throwable) { // the next file may be in order
                    failures += "$name ${artefact.recipe}: $error"
                    continue
                }
                vectors += results.size
                failures += results.filterNot { it.verdict.passed }
                    .map { "$name ${it.recipe} ${it.golden}: ${it.verdict.text}" }
            }
        }
        assertTrue(failures.joinToString("\n"), failures.isEmpty())
        assertTrue("no golden vector was run", vectors > 0)
    }
}
