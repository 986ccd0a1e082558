package fovea.core.layer

import fovea.core.bundle.ClassName
import fovea.core.image.PixelRows
import fovea.core.image.Pixels
import fovea.core.values.Planes
import fovea.core.values.Triangle
import kotlin.math.floor

private const val FAINT = 0.3
private const val STRONG = 0.6
private const val COVER = 158

private val ALPHA = IntArray(256) { level255(FAINT + STRONG * it / 255) }

/** A share of 0-1 as a level of 0-255. */
private fun level255(share: Double): Int = floor(255 * share + 0.5).toInt()

/** [map] from its least to its largest value in the colours of [palette], low values more transparent. */
fun heatLayer(map: Planes, palette: Palette): Pixels {
    val least = map.data.min().toDouble()
    val span = map.data.max() - least
    val argb = IntArray(map.area) { i ->
        val level = if (span > 0) level255((map.data[i] - least) / span) else 0
        (ALPHA[level] shl 24) or palette.rgb[level]
    }
    return Pixels(map.width, map.height, argb)
}

/** A class that occurs, with the share of the picture it covers. */
data class LegendEntry(val index: Int, val name: String, val rgb: Int, val share: Double)

/** A layer of class colours with the legend that explains it. */
class ClassLayer(val layer: Pixels, val legend: List<LegendEntry>)

/** The class with the largest of [logits] in each pixel, the first of equals; the legend begins with the largest share. */
fun classLayer(logits: Planes, classes: List<ClassName>): ClassLayer {
    require(logits.channels == classes.size) { "${logits.channels} planes for ${classes.size} classes" }
    val area = logits.area
    val best = logits.data.copyOf(area)
    val index = IntArray(area)
    for (c in 1 until logits.channels) {
        val plane = c * area
        for (i in 0 until area) {
            val value = logits.data[plane + i]
            if (value > best[i]) {
                best[i] = value
                index[i] = c
            }
        }
    }
    val counts = IntArray(classes.size)
    for (each in index) counts[each]++
    val argb = IntArray(area) { (COVER shl 24) or classes[index[it]].rgb }
    val legend = classes.indices.filter { counts[it] > 0 }.sortedByDescending { counts[it] }
        .map { LegendEntry(it, classes[it].name, classes[it].rgb, counts[it].toDouble() / area) }
    return ClassLayer(Pixels(logits.width, logits.height, argb), legend)
}

/** [photo] as opaque as [map], 0-1, says: what lies around a salient object disappears. */
fun cutOut(photo: PixelRows, map: Planes): Pixels {
    val width = photo.width
    val argb = IntArray(width * photo.height)
    val row = IntArray(width)
    Triangle.eachRow(map, photo.height, width) { y, shares ->
        photo.row(y, row)
        for (x in 0 until width) {
            val alpha = level255(shares[x].coerceIn(0f, 1f).toDouble())
            argb[y * width + x] = (alpha shl 24) or (row[x] and 0xffffff)
        }
    }
    return Pixels(width, photo.height, argb)
}
