package fovea.core

import fovea.core.bundle.Bundle
import fovea.core.bundle.BundleFiles
import fovea.core.golden.PngDecoder
import fovea.core.run.EngineOpener
import fovea.core.session.Session
import fovea.core.session.Shown
import fovea.core.testing.HostDevice
import fovea.core.testing.setting
import fovea.core.ui.Look
import fovea.core.ui.Screen
import java.io.File
import java.io.FileNotFoundException
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** What the app does, on real bundles and runtimes, without a screen. */
class SessionTest {
    private val folder = File(setting("fovea.bundles"))
    private val shown = mutableListOf<Shown?>()

    private fun session(device: HostDevice = HostDevice(folder, PngDecoder(::png))): Session =
        Session(device, { it.run() }, { it.run() }).also { session ->
            session.shown = { shown += it }
            session.start()
        }

    @Test
    fun `starts with the smallest file of the first bundle`() = session().let { session ->
        assertEquals(listOf("fastsal_a", "fastsal_a_objects", "fastsal_a_semantic"), session.state.names)
        assertEquals("litert_int8", session.state.recipe)
        assertTrue(session.state.ready && session.state.notices.isEmpty())
        session.close()
    }

    @Test
    fun `a photograph gets a layer, and another with another recipe`() = session().let { session ->
        session.predict { waves(64, 40) }
        session.chooseRecipe("executorch_fp32")
        val layers = shown.filterNotNull().map { it.layer!!.argb.toList() }
        assertEquals(2, layers.size)
        assertTrue(layers[0] != layers[1])
        assertTrue(session.state.hasPicture)
        session.close()
    }

    @Test
    fun `a semantic bundle brings its legend`() = session().let { session ->
        session.predict { waves(64, 40) }
        session.chooseBundle("fastsal_a_semantic")
        assertTrue(session.state.legend.isNotEmpty() && !shown.last()!!.smooth)
        assertEquals(1.0, session.state.legend.sumOf { it.share }, 1e-9)
        session.close()
    }

    @Test
    fun `an object is cut out at the photograph's size`() = session().let { session ->
        session.chooseBundle("fastsal_a_objects")
        session.predict { waves(64, 40) }
        assertNull(shown.last()!!.cutOut)
        session.chooseLook(Look.CUT_OUT)
        val cut = assertNotNull(shown.last()!!.cutOut)
        assertEquals(64 to 40, cut.width to cut.height)
        assertTrue(cut.argb.map { it ushr 24 }.distinct().size > 1)
        session.close()
    }

    @Test
    fun `a photograph that cannot be read is said, and the next one works`() = session().let { session ->
        session.predict { throw FoveaError("holiday.heic is a HEIC picture") }
        assertEquals("holiday.heic is a HEIC picture", session.state.notices.single().text)
        session.predict { tell ->
            tell("read at 1/4")
            waves(64, 40)
        }
        assertTrue(session.state.hasPicture)
        assertEquals(2, session.state.notices.size)
        session.close()
    }

    @Test
    fun `frames count only on the camera's screen`() = session().let { session ->
        session.frame { waves(64, 48) }
        assertTrue(shown.filterNotNull().isEmpty())
        session.chooseScreen(Screen.CAMERA)
        session.frame { waves(64, 48) }
        session.frame { null }
        session.frame { throw IllegalStateException("buffer is inaccessible") }
        session.frame { waves(64, 48) }
        assertEquals(2, shown.filterNotNull().size)
        assertTrue(session.state.notices.isEmpty())
        session.close()
    }

    @Test
    fun `a frame that is late for its screen is not shown on the next`() {
        lateinit var session: Session
        val device = object : HostDevice(folder, PngDecoder(::png)) {
            override fun opener(bundle: Bundle) = EngineOpener { _, _ ->
                FixedEngine {
                    session.chooseScreen(Screen.PHOTO)
                    FloatArray(bundle.manifest.outputShape.fold(1, Int::times))
                }
            }
        }
        session = session(device)
        session.chooseScreen(Screen.CAMERA)
        session.frame { waves(64, 48) }
        assertTrue(shown.filterNotNull().isEmpty())
        assertTrue(!session.state.hasPicture)
    }

    @Test
    fun `golden vectors of every file are checked`() = session().let { session ->
        session.check()
        assertEquals(6, session.state.checks.size)
        assertTrue(session.state.checks.all { it.passed == true }, "${session.state.checks}")
        assertTrue(session.state.idle)
        session.close()
    }

    @Test
    fun `a damaged bundle is refused and another opens`() {
        val device = object : HostDevice(folder, PngDecoder(::png)) {
            override fun bundle(name: String): BundleFiles = super.bundle(name).let { whole ->
                if (name != "fastsal_a") whole else object : BundleFiles by whole {
                    override fun open(path: String) =
                        if (path.endsWith(".pte")) throw FileNotFoundException(path) else whole.open(path)
                }
            }
        }
        val session = session(device)
        assertNull(session.state.bundle)
        assertTrue("model.pte is missing" in session.state.notices.single().text)
        session.chooseBundle("fastsal_a_objects")
        assertEquals("litert_fp32", session.state.recipe)
        session.close()
    }

    @Test
    fun `a runtime that does not load falls back and says so`() {
        val device = object : HostDevice(folder, PngDecoder(::png)) {
            override fun opener(bundle: Bundle): EngineOpener = super.opener(bundle).let { real ->
                EngineOpener { artefact, threads ->
                    if (artefact.backend == "litert") throw UnsatisfiedLinkError("no library") else real.open(artefact, threads)
                }
            }
        }
        val session = session(device)
        assertEquals("executorch_fp32", session.state.recipe)
        assertTrue(session.state.notices.any { "Running executorch_fp32 instead." in it.text })
        session.check()
        assertEquals(listOf(true, true, null, null), session.state.checks.map { it.passed })
        session.chooseBundle("fastsal_a_objects")
        assertNull(session.state.recipe)
        assertTrue(session.state.notices.any { "No file of the bundle loads" in it.text })
        session.close()
    }

    @Test
    fun `no bundle at all is said with what to do`() {
        val empty = kotlin.io.path.createTempDirectory().toFile()
        val session = session(HostDevice(empty, PngDecoder(::png)))
        assertTrue("fovea bundle install" in session.state.notices.single().text)
        assertTrue(session.state.idle)
        session.close()
    }

    @Test
    fun `every file is measured and its row kept`() {
        val device = HostDevice(folder, PngDecoder(::png))
        val session = session(device)
        session.chooseScreen(Screen.BENCHMARK)
        session.benchmark()
        assertEquals(3, session.state.measured.size)
        assertEquals(device.kept, session.state.measured.map { it.row })
        System.getProperty("fovea.rows")?.takeIf { it.isNotEmpty() }
            ?.let { File(it).writeText(device.kept.joinToString("") { row -> row + "\n" }) }
        session.close()
    }

    @Test
    fun `a measurement stops when another screen is chosen`() {
        lateinit var session: Session
        val device = object : HostDevice(folder, PngDecoder(::png)) {
            override fun opener(bundle: Bundle) = EngineOpener { _, _ ->
                FixedEngine { FloatArray(1).also { session.chooseScreen(Screen.ABOUT) } }
            }
        }
        session = Session(device, { it.run() }, { it.run() })
        session.start()
        session.chooseScreen(Screen.BENCHMARK)
        session.benchmark()
        assertTrue(session.state.measured.isEmpty() && session.state.idle)
    }
}
