package fovea.core

import fovea.core.bundle.BundleError
import fovea.core.bundle.BundleFiles
import fovea.core.bundle.Layout
import fovea.core.bundle.Meaning
import fovea.core.bundle.Problem
import fovea.core.bundle.Tolerance
import fovea.core.bundle.readManifest
import fovea.core.golden.judge
import fovea.core.layer.numberedClasses
import fovea.core.layer.rgb
import fovea.core.values.Planes
import fovea.core.values.Triangle
import fovea.core.values.readNpy
import fovea.core.values.tensor
import java.io.InputStream
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** Damaged manifests and arrays, and the judge's edges. */
class FormsTest {
    private val whole = Vectors.folder.resolve("manifests/whole_semantic/manifest.json").readText()

    private fun read(text: String) = readManifest(object : BundleFiles {
        override val name = "toy"

        override fun open(path: String): InputStream = text.byteInputStream()
    })

    @Test
    fun `every key that is taken out of a manifest is named`() {
        assertEquals(3, read(whole).classes.size)
        val keys = listOf(
            "spec", "input", "output", "artefacts", "golden", "files", "task", "resize", "meaning", "shape", "height",
            "path", "backend", "sha256", "layout", "bounds", "tolerance", "torch", "bytes", "schema", "colour",
        )
        for (key in keys) {
            assertTrue("\"$key\":" in whole, "the manifest has no $key to take out")
            val error = assertFailsWith<BundleError>(key) { read(whole.replace("\"$key\":", "\"other\":")) }
            assertEquals(Problem.MISSING_PART, error.problem, key)
            assertTrue(key in error.message!!, error.message)
        }
    }

    @Test
    fun `another colour order or as many classes as there are not is refused`() {
        assertFailsWith<BundleError> { read(whole.replace("\"color\": \"RGB\"", "\"color\": \"BGR\"")) }
        assertFailsWith<BundleError> { read(whole.replace("\"#9df224\"", "\"green\"")) }
        assertFailsWith<BundleError> { read(whole.replaceFirst("\"height\": 2", "\"height\": 0")) }
        assertFailsWith<BundleError> { read(whole.replaceFirst("\"height\": 2", "\"height\": \"2\"")) }
        assertFailsWith<BundleError> { read("[]") }
    }

    @Test
    fun `classes without names are numbered in colours of their own`() {
        val start = whole.indexOf("\"classes\"")
        val without = whole.removeRange(start, whole.indexOf("\"meaning\"", start))
        val classes = read(without).classes
        assertEquals(listOf("class 0", "class 1", "class 2"), classes.map { it.name })
        assertEquals(20, numberedClasses(20).map { it.rgb }.distinct().size)
    }

    @Test
    fun `other arrays are refused by name`() {
        val whole = Vectors.folder.resolve("maps/logits.usual.npy").readBytes()
        assertEquals(listOf(12, 16), readNpy(whole, "x").shape)
        val damaged = listOf(
            whole.copyOf(whole.size - 4), whole.copyOf(6), ByteArray(0), whole.altered("<f4", "<f8"),
            whole.altered("<f4", ">f4"), whole.altered("False", "True "), whole.altered("(12, 16)", "(12, 17)"),
            whole.copyOf().also { it[6] = 2 },
        )
        damaged.forEach { assertTrue("golden.npy" in assertFailsWith<FoveaError> { readNpy(it, "golden.npy") }.message!!) }
    }

    @Test
    fun `the judge counts what the contract says`() {
        val map = Planes(1, 2, 2, floatArrayOf(0f, 1f, 2f, 3f))
        val near = Planes(1, 2, 2, floatArrayOf(0f, 1f, 2f, 3.1f))
        val flat = Planes(1, 2, 2, FloatArray(4) { 1f })
        val broken = Planes(1, 2, 2, floatArrayOf(0f, 1f, 2f, Float.NaN))
        assertTrue(judge(near, map, Meaning.LOGITS, Tolerance(0.2, 0.99)).passed)
        assertFalse(judge(near, map, Meaning.LOGITS, Tolerance(0.05, 0.99)).passed)
        assertFalse(judge(Planes(1, 2, 2, floatArrayOf(3f, 2f, 1f, 0f)), map, Meaning.LOGITS, Tolerance(null, 0.9)).passed)
        assertNull(judge(flat, map, Meaning.LOGITS, Tolerance(3.0, 0.99)).cc)
        assertTrue(judge(flat, map, Meaning.LOGITS, Tolerance(3.0, 0.99)).passed)
        assertFalse(judge(flat, map, Meaning.LOGITS, Tolerance(1.0, 0.99)).passed)
        assertFalse(judge(broken, map, Meaning.LOGITS, Tolerance(null, -1.0)).passed)
    }

    @Test
    fun `a row-wise resize is the resize`() {
        val map = Planes(1, 5, 7, FloatArray(35) { (it * 37 % 11).toFloat() })
        val whole = Triangle.resize(map, 31, 3)
        Triangle.eachRow(map, 31, 3) { y, row -> assertEquals(whole.data.slice(y * 3 until y * 3 + 3), row.toList()) }
    }

    @Test
    fun `a large picture in bands is the same picture`() {
        val large = waves(2003, 1501)
        val whole = Triangle.resize(large, 13, 17)
        val colours = Planes(3, 1501, 2003, tensor(Triangle.resize(large, 1501, 2003), Layout.NCHW))
        assertNear(Triangle.resize(colours, 13, 17).data, whole.data, 0.0, "bands")
    }

    @Test
    fun `colours are six digits`() {
        assertEquals(0x9df224, rgb("#9df224"))
        listOf("9df224", "#9df22", "#9df22g", "red", "").forEach { assertNull(rgb(it), it) }
    }

    private fun ByteArray.altered(from: String, to: String): ByteArray =
        toString(Charsets.ISO_8859_1).also { check(from in it) }.replaceFirst(from, to).toByteArray(Charsets.ISO_8859_1)
}
