package fovea.app

import fovea.app.engines.AndroidEngines
import fovea.app.engines.BACKENDS
import fovea.core.FoveaError
import fovea.core.bundle.Bundle
import fovea.core.bundle.BundleFiles
import fovea.core.bundle.FolderFiles
import fovea.core.run.openWithFallback
import fovea.core.testing.setting
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import java.io.File
import kotlin.io.path.createTempDirectory
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** What happens before a runtime runs, and where none can: its libraries are Android's. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = FoveaApplication::class)
class EnginesTest {
    private val folder = File(setting("fovea.bundles"), "fastsal_a")
    private val bundle = Bundle.open(FolderFiles(folder))
    private val models = createTempDirectory().toFile()

    @Test
    fun `a model is copied once, whole`() {
        val artefact = bundle.manifest.artefacts.first()
        val file = ModelStore(models).file(bundle, artefact)
        assertContentEquals(File(folder, artefact.path).readBytes(), file.readBytes())
        file.setLastModified(1000)
        ModelStore(models).file(bundle, artefact)
        assertEquals(1000, file.lastModified())
        assertEquals(listOf(file), models.listFiles()!!.toList())
    }

    @Test
    fun `a copy that differs is no model`() {
        val changing = object : BundleFiles by bundle.files {
            var times = 0

            override fun open(path: String) =
                if (path.endsWith(".pte") && times++ > 0) "other".byteInputStream() else bundle.files.open(path)
        }
        val artefact = bundle.manifest.artefact("executorch_fp32")!!
        val error = assertFailsWith<FoveaError> { ModelStore(models).file(Bundle.open(changing), artefact) }
        assertTrue(artefact.path in error.message!!)
        assertTrue(models.listFiles()!!.isEmpty())
    }

    @Test
    fun `runtimes without their libraries are refused with both reasons`() {
        val all = bundle.manifest.artefacts
        assertEquals(BACKENDS, all.map { it.backend }.toSet())
        val error = assertFailsWith<FoveaError> { openWithFallback(all.first(), all, 1, AndroidEngines(ModelStore(models), bundle)) }
        all.forEach { assertTrue("${it.recipe} does not load" in error.message!!, error.message) }
    }
}
