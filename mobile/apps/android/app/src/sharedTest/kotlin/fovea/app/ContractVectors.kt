package fovea.app

import fovea.core.bundle.Layout
import fovea.core.image.Pixels
import fovea.core.image.upright
import fovea.core.values.Triangle
import fovea.core.values.readNpy
import fovea.core.values.tensor
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import java.io.InputStream

/** What of the contract's vectors depends on the device: its PNG decoder, its byte order, its arithmetic. */
abstract class ContractVectors {
    /** The file at [path] below the folder of vectors. */
    protected abstract fun stream(path: String): InputStream

    private fun bytes(path: String): ByteArray = stream(path).use { it.readBytes() }

    private fun pixels(path: String): Pixels = checkNotNull(decodeExactly(bytes(path))) { path }

    private fun cases(list: String): List<JSONObject> {
        val found: JSONArray = JSONObject(bytes("vectors.json").decodeToString()).getJSONArray(list)
        assertTrue("no case of $list", found.length() > 0)
        return List(found.length(), found::getJSONObject)
    }

    @Test
    fun resizesAsTheManifestDefines() = cases("resize").forEach { case ->
        val resized = Triangle.resize(pixels(case.getString("input")), case.getInt("height"), case.getInt("width"))
        val expected = readNpy(bytes(case.getString("output")), case.getString("output"))
        val tolerance = case.getDouble("tolerance").toFloat()
        assertArrayEquals(case.toString(), expected.data, tensor(resized, Layout.NHWC), tolerance)
    }

    @Test
    fun turnsPicturesUpright() = cases("upright").forEach { case ->
        val given = upright(pixels(case.getString("input")), case.getInt("orientation"))
        assertArrayEquals(case.toString(), pixels(case.getString("output")).argb, given.argb)
    }

    @Test
    fun laysOutTensors() = cases("tensors").forEach { case ->
        val pixels = pixels(case.getString("input"))
        val given = tensor(Triangle.resize(pixels, pixels.height, pixels.width), Layout.valueOf(case.getString("layout")))
        assertArrayEquals(case.toString(), readNpy(bytes(case.getString("output")), "output").data, given, 0f)
    }
}
