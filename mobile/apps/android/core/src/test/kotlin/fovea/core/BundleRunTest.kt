package fovea.core

import fovea.core.bundle.Bundle
import fovea.core.bundle.FolderFiles
import fovea.core.bundle.Layout
import fovea.core.bundle.Meaning
import fovea.core.bundle.readIndex
import fovea.core.golden.PngDecoder
import fovea.core.golden.runGolden
import fovea.core.image.Pixels
import fovea.core.image.upright
import fovea.core.layer.Palette
import fovea.core.run.Engine
import fovea.core.run.Predictor
import fovea.core.testing.HostEngine
import fovea.core.testing.setting
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue

/** Real bundles and the real runtimes of this computer, from the manifest to the verdict. */
class BundleRunTest {
    private val folder = File(setting("fovea.bundles"))
    private val names = readIndex(FolderFiles(folder))
    private val decoder = PngDecoder(::png)

    private fun open(name: String) = Bundle.open(FolderFiles(File(folder, name)))

    @Test
    fun `every golden vector of every file passes`() {
        val recipes = names.flatMap { name ->
            val bundle = open(name)
            bundle.manifest.artefacts.map { artefact ->
                HostEngine.opener(folder, bundle).open(artefact, 1).use { engine ->
                    val results = runGolden(bundle, artefact, engine, decoder)
                    assertEquals(bundle.manifest.golden.size, results.size)
                    results.forEach { assertTrue(it.verdict.passed, "$name ${it.recipe} ${it.golden}: ${it.verdict.text}") }
                    assertTrue(results.all { it.own }, "$name ${artefact.recipe} was compared with torch")
                }
                "$name/${artefact.recipe}"
            }
        }
        assertTrue("fastsal_a/executorch_fp32" in recipes && "fastsal_a/litert_int8" in recipes, "$recipes")
    }

    @Test
    fun `wrong ways in fail the golden vectors`() {
        val wrong = mapOf(
            "BGR" to PngDecoder { bytes -> png(bytes).changed { (it and 0x00ff00) or (it shr 16 and 0xff) or (it and 0xff shl 16) } },
            "upside down" to PngDecoder { upright(png(it), 3) },
            "per-image range" to PngDecoder { bytes -> png(bytes).changed { (it shr 1) and 0x7f7f7f } },
        )
        val bundle = open("fastsal_a")
        val artefact = bundle.manifest.artefact("litert_fp32")!!
        HostEngine.opener(folder, bundle).open(artefact, 1).use { engine ->
            wrong.forEach { (what, decode) ->
                val results = runGolden(bundle, artefact, engine, decode)
                assertFalse(results.any { it.verdict.passed }, "$what passes")
            }
        }
    }

    @Test
    fun `a file of the other layout gets its own order`() {
        val manifest = open("fastsal_a").manifest
        val layouts = manifest.artefacts.associate { it.backend to it.layout }
        assertEquals(mapOf("litert" to Layout.NHWC, "executorch" to Layout.NCHW), layouts)
    }

    @Test
    fun `photographs of any size become layers at the map's size`() = names.forEach { name ->
        val bundle = open(name)
        val artefact = bundle.manifest.artefacts.last()
        HostEngine.opener(folder, bundle).open(artefact, 1).use { engine ->
            val predictor = Predictor(bundle.manifest, artefact, engine, Palette.shared)
            for ((width, height) in listOf(1 to 1, 640 to 480, 33 to 700)) {
                val given = predictor.predict(waves(width, height))
                assertEquals(bundle.manifest.outputShape[3] to bundle.manifest.outputShape[2], given.layer.width to given.layer.height)
                assertEquals(bundle.manifest.meaning == Meaning.CLASS_LOGITS, given.legend.isNotEmpty())
                assertEquals(if (given.legend.isEmpty()) 0.0 else 1.0, given.legend.sumOf { it.share }, 1e-9)
            }
        }
    }

    @Test
    fun `an output that is not finite is refused`() {
        val bundle = open("fastsal_a")
        val artefact = bundle.manifest.artefacts.first()
        val size = bundle.manifest.outputShape.fold(1, Int::times)
        val broken = FixedEngine { FloatArray(size) { if (it == 7) Float.NaN else 0f } }
        val error = kotlin.test.assertFailsWith<FoveaError> {
            Predictor(bundle.manifest, artefact, broken, Palette.shared).predict(waves(8, 8))
        }
        assertTrue("not finite" in error.message!!)
    }
}

fun waves(width: Int, height: Int): Pixels = Pixels(width, height, IntArray(width * height) { (it * 2654435761L).toInt() or (0xff shl 24) })

/** The colour of each pixel by [change], which gets it without alpha. */
private fun Pixels.changed(change: (Int) -> Int): Pixels = Pixels(width, height, IntArray(argb.size) { change(argb[it] and 0xffffff) })

/** Says what it is told to, whatever goes in. */
class FixedEngine(private val say: () -> FloatArray) : Engine {
    var closed = false
    var runs = 0
    override val runtime = "fixed"
    override val runtimeVersion = "1"
    override val delegate = "none"

    override fun run(input: FloatArray): FloatArray = say().also { runs++ }

    override fun close() {
        closed = true
    }
}
