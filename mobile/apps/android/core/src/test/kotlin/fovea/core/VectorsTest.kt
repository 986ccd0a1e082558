package fovea.core

import fovea.core.bundle.Bundle
import fovea.core.bundle.BundleError
import fovea.core.bundle.ClassName
import fovea.core.bundle.FolderFiles
import fovea.core.bundle.Layout
import fovea.core.bundle.Meaning
import fovea.core.golden.correlation
import fovea.core.golden.largestDifference
import fovea.core.image.upright
import fovea.core.layer.Palette
import fovea.core.layer.classLayer
import fovea.core.layer.cutOut
import fovea.core.layer.heatLayer
import fovea.core.layer.rgb
import fovea.core.time.Times
import fovea.core.values.Triangle
import fovea.core.values.mapOf
import fovea.core.values.tensor
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.double
import kotlin.math.abs
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Every list of the contract's vectors. */
class VectorsTest {
    @Test
    fun `resizes as the manifest defines`() = Vectors.cases("resize").forEach { case ->
        val (height, width) = case.int("height") to case.int("width")
        val resized = Triangle.resize(case.pixels("input"), height, width)
        val expected = case.npy("output")
        assertEquals(listOf(height, width, 3), expected.shape)
        assertNear(expected.data, tensor(resized, Layout.NHWC), case.double("tolerance"), case)
    }

    @Test
    fun `turns pictures upright`() = Vectors.cases("upright").forEach { case ->
        assertPixels(case.pixels("output"), upright(case.pixels("input"), case.int("orientation")), case)
    }

    @Test
    fun `lays out tensors`() = Vectors.cases("tensors").forEach { case ->
        val pixels = case.pixels("input")
        val layout = Layout.valueOf(case.text("layout"))
        val planes = Triangle.resize(pixels, pixels.height, pixels.width)
        assertNear(case.npy("output").data, tensor(planes, layout), 0.0, case)
        assertNear(case.npy("output").data, Triangle.resize(pixels, pixels.height, pixels.width, layout), 0.0, case)
    }

    @Test
    fun `reads outputs as maps`() = Vectors.cases("maps").forEach { case ->
        val meaning = Meaning.entries.first { it.word == case.text("meaning") }
        assertNear(case.npy("output").data, mapOf(case.npy("input").planes(), meaning).data, 1e-5, case)
    }

    @Test
    fun `colours heat`() {
        val palette = Palette.parse(Vectors.folder.resolve("colours.json").readText())
        val level = palette.rgb.withIndex().associate { (index, colour) -> colour to index }
        Vectors.cases("heat").forEach { case ->
            val given = heatLayer(case.npy("input").planes(), palette)
            assertPixels(case.pixels("output"), given, case) { a, b ->
                val near = abs(level.getValue(a and 0xffffff) - level.getValue(b and 0xffffff)) <= 1
                near && abs((a ushr 24) - (b ushr 24)) <= 1
            }
        }
    }

    @Test
    fun `colours classes and says their shares`() = Vectors.cases("classes").forEach { case ->
        val classes = case.texts("colours").mapIndexed { index, text -> ClassName("$index", assertNotNull(rgb(text))) }
        val given = classLayer(case.npy("input").planes(), classes)
        assertPixels(case.pixels("output"), given.layer, case)
        val shares = case.list("shares").map { pair ->
            (pair as JsonArray).map { (it as JsonPrimitive).double }.let { it[0].toInt() to it[1] }
        }
        assertEquals(shares, given.legend.map { it.index to it.share }, "$case")
    }

    @Test
    fun `cuts objects out`() = Vectors.cases("cutout").forEach { case ->
        val given = cutOut(case.pixels("photo"), case.npy("input").planes())
        assertPixels(case.pixels("output"), given, case) { a, b ->
            a and 0xffffff == b and 0xffffff && abs((a ushr 24) - (b ushr 24)) <= 1
        }
    }

    @Test
    fun `correlates`() = Vectors.cases("correlation").forEach { case ->
        val (a, b) = case.npy("a").data to case.npy("b").data
        assertEquals(case.double("max_abs"), largestDifference(a, b), 1e-6, "$case")
        val expected = case.doubleOrNull("cc")
        if (expected == null) assertNull(correlation(a, b)) else assertEquals(expected, assertNotNull(correlation(a, b)), 1e-6)
    }

    @Test
    fun `summarises times`() = Vectors.cases("times").forEach { case ->
        val times = Times(case.list("samples").map { row -> (row as JsonArray).map { (it as JsonPrimitive).double } })
        val given = mapOf(
            "p50" to times.p50, "p90" to times.p90, "p95" to times.p95, "p99" to times.p99,
            "mean" to times.mean, "cv" to times.cv, "spread" to times.spread,
        )
        given.forEach { (key, value) -> assertRelative(case.double(key), value, "$key of $case") }
        val medians = case.doubles("repeat_p50")
        assertEquals(medians.size, times.repeatP50.size)
        medians.zip(times.repeatP50) { expected, value -> assertRelative(expected, value, "repeat_p50 of $case") }
    }

    @Test
    fun `opens whole bundles and refuses others by name`() = Vectors.cases("manifests").forEach { case ->
        val files = FolderFiles(Vectors.folder.resolve(case.text("folder")))
        val problem = case.textOrNull("problem")
        if (problem == null) {
            Bundle.open(files)
        } else {
            val refused = assertFailsWith<BundleError>("$case") { Bundle.open(files) }
            assertEquals(problem, refused.problem.word, "$case: ${refused.message}")
            val message = assertNotNull(refused.message)
            case.texts("names").forEach { assertTrue(it in message, "'$it' is not in '$message'") }
        }
    }

    private fun assertRelative(expected: Double, given: Double, what: String) =
        assertEquals(expected, given, 1e-9 * abs(expected) + 1e-15, what)
}
