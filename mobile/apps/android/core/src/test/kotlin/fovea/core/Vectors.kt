package fovea.core

import fovea.core.image.Pixels
import fovea.core.values.NdArray
import fovea.core.values.readNpy
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import java.io.File
import javax.imageio.ImageIO
import kotlin.math.abs
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** The vectors of the contract, which all apps must reproduce. */
object Vectors {
    val folder = File(checkNotNull(System.getProperty("fovea.vectors")) { "-Dfovea.vectors names no folder" })

    private val all = Json.parseToJsonElement(folder.resolve("vectors.json").readText()) as JsonObject

    /** The cases of a list; an empty list would test nothing. */
    fun cases(list: String): List<Case> {
        val found = (all.getValue(list) as JsonArray).map { Case(it as JsonObject) }
        assertTrue(found.isNotEmpty(), "vectors.json has no case of $list")
        return found
    }

    fun pixels(path: String): Pixels = png(folder.resolve(path).readBytes())

    fun npy(path: String): NdArray = readNpy(folder.resolve(path).readBytes(), path)
}

class Case(private val content: JsonObject) {
    fun text(key: String): String = (content.getValue(key) as JsonPrimitive).content

    fun textOrNull(key: String): String? = (content.getValue(key) as JsonPrimitive).takeIf { it.isString }?.content

    fun int(key: String): Int = (content.getValue(key) as JsonPrimitive).int

    fun double(key: String): Double = (content.getValue(key) as JsonPrimitive).double

    fun doubleOrNull(key: String): Double? = (content.getValue(key) as JsonPrimitive).content.toDoubleOrNull()

    fun list(key: String): JsonArray = content.getValue(key) as JsonArray

    fun doubles(key: String): List<Double> = list(key).map { (it as JsonPrimitive).double }

    fun texts(key: String): List<String> = list(key).map { (it as JsonPrimitive).content }

    fun pixels(key: String): Pixels = Vectors.pixels(text(key))

    fun npy(key: String): NdArray = Vectors.npy(text(key))

    override fun toString(): String = content.toString().take(200)
}

/** A PNG as it stores its pixels. */
fun png(bytes: ByteArray): Pixels {
    val image = checkNotNull(ImageIO.read(bytes.inputStream())) { "no picture" }
    return Pixels(image.width, image.height, image.getRGB(0, 0, image.width, image.height, null, 0, image.width))
}

fun assertNear(expected: FloatArray, given: FloatArray, tolerance: Double, what: Any) {
    assertEquals(expected.size, given.size, "$what: number of values")
    for (i in expected.indices) {
        val difference = abs(expected[i].toDouble() - given[i].toDouble())
        assertTrue(difference <= tolerance, "$what: value $i is ${given[i]}, expected ${expected[i]}")
    }
}

/** Equal but for what [slack] allows of each channel. */
fun assertPixels(expected: Pixels, given: Pixels, what: Any, slack: (Int, Int) -> Boolean = { a, b -> a == b }) {
    assertEquals(expected.width to expected.height, given.width to given.height, "$what: size")
    for (i in expected.argb.indices) {
        val same = slack(expected.argb[i], given.argb[i])
        assertTrue(same, "$what: pixel $i is %08x, expected %08x".format(given.argb[i], expected.argb[i]))
    }
}
