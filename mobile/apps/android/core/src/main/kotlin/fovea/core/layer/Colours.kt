package fovea.core.layer

import fovea.core.FoveaError
import fovea.core.bundle.ClassName
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonPrimitive
import kotlin.math.abs

private val HEXADECIMAL = Regex("#[0-9a-fA-F]{6}")
private const val LEVELS = 256
private const val FILE = "/colours.json"

/** Colours of the 256 levels of a map, RGB without alpha. */
class Palette(val rgb: IntArray) {
    init {
        require(rgb.size == LEVELS) { "a palette has $LEVELS colours, not ${rgb.size}" }
    }

    companion object {
        /** The palette of all Fovea's apps, which the build puts among the resources. */
        val shared: Palette by lazy {
            val stream = Palette::class.java.getResourceAsStream(FILE)
                ?: throw FoveaError("the app was built without $FILE; build it inside of Fovea's checkout")
            parse(stream.use { it.readBytes() }.decodeToString())
        }

        fun parse(text: String): Palette = Palette(
            (Json.parseToJsonElement(text) as JsonArray)
                .map { rgb((it as JsonPrimitive).content) ?: throw FoveaError("$FILE holds $it, which is no colour") }
                .toIntArray(),
        )
    }
}

/** `#rrggbb` as a number, or null for another text. */
fun rgb(text: String): Int? = if (HEXADECIMAL.matches(text)) text.drop(1).toInt(16) else null

/** Classes of a bundle that does not name them: numbers, in hues that lie far apart. */
fun numberedClasses(count: Int): List<ClassName> = List(count) { ClassName("class $it", hue(it * GOLDEN % 1.0)) }

private const val GOLDEN = 0.618033988749895

/** A strong colour of a [hue] of 0-1. */
private fun hue(hue: Double): Int {
    fun channel(shift: Double): Int {
        val distance = abs(((hue + shift) % 1.0) * 6 - 3)
        return (60 + 195 * (distance - 1).coerceIn(0.0, 1.0)).toInt()
    }
    return (channel(0.0) shl 16) or (channel(2.0 / 3) shl 8) or channel(1.0 / 3)
}
