package fovea.core

import fovea.core.bundle.Bundle
import fovea.core.bundle.FolderFiles
import fovea.core.run.EngineOpener
import fovea.core.run.openWithFallback
import fovea.core.run.runnable
import fovea.core.testing.setting
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class EngineChoiceTest {
    private val manifest = Bundle.open(FolderFiles(File(setting("fovea.bundles"), "fastsal_a"))).manifest
    private val all = manifest.artefacts
    private val engine = FixedEngine { FloatArray(1) }

    private fun failing(vararg backends: String) = EngineOpener { artefact, _ ->
        if (artefact.backend in backends) throw UnsatisfiedLinkError("no lib${artefact.backend}.so\nat nowhere") else engine
    }

    @Test
    fun `what loads is used without a word`() {
        val opened = openWithFallback(all.first(), all, 1, failing())
        assertEquals(all.first(), opened.artefact)
        assertTrue(opened.notices.isEmpty())
    }

    @Test
    fun `a runtime that does not load is replaced by the other at the same precision and said`() {
        val wanted = manifest.artefact("executorch_fp32")!!
        val opened = openWithFallback(wanted, all, 1, failing("executorch"))
        assertEquals("litert_fp32", opened.artefact.recipe)
        assertEquals(
            listOf("executorch_fp32 does not load (no libexecutorch.so).", "Running litert_fp32 instead."),
            opened.notices,
        )
    }

    @Test
    fun `nothing that loads is said with every reason`() {
        val error = assertFailsWith<FoveaError> { openWithFallback(all.last(), all, 1, failing("litert", "executorch")) }
        all.forEach { assertTrue(it.recipe in error.message!!, error.message) }
    }

    @Test
    fun `only files with a runtime here are offered`() {
        assertEquals(listOf("executorch_fp32"), runnable(manifest, setOf("executorch", "coreml")).map { it.recipe })
    }
}
