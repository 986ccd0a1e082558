package fovea.core.values

import fovea.core.bundle.Layout
import fovea.core.image.PixelRows
import java.util.stream.IntStream

/** Pixels that are worth a thread of their own: a frame is done before a second one would have begun. */
private const val BAND_PIXELS = 1_000_000

/**
 * The one named resize, as a manifest defines it: rows first, then columns, float32, unrounded.
 *
 * No bilinear of the platform is it: those differ in antialiasing, pixel centres and rounding.
 */
object Triangle {
    const val NAME = "triangle"

    /** The three colours of [source] as planes of [height] x [width], 0-255. */
    fun resize(source: PixelRows, height: Int, width: Int): Planes =
        Planes(3, height, width, resize(source, height, width, Layout.NCHW))

    /**
     * The same values in the order of [layout], as a file takes them.
     *
     * Large pictures are resized in bands, by several threads; no value depends on how many.
     */
    fun resize(source: PixelRows, height: Int, width: Int, layout: Layout): FloatArray {
        val rows = Taps(source.height, height)
        val columns = Taps(source.width, width)
        val out = FloatArray(3 * height * width)
        val ahead = if (layout == Layout.NCHW) 1 else 3
        val colour = if (layout == Layout.NCHW) height * width else 1
        val worth = source.width.toLong() * source.height / BAND_PIXELS
        val bands = worth.coerceIn(1, Runtime.getRuntime().availableProcessors().toLong()).toInt().coerceAtMost(height)
        IntStream.range(0, bands).parallel().forEach { band ->
            resizeRows(source, rows, height * band / bands, height * (band + 1) / bands) { y, colours ->
                columns.applyColours(colours, source.width, out, y * width * ahead, ahead, colour)
            }
        }
        return out
    }

    /** [map] as planes of [height] x [width]. */
    fun resize(map: Planes, height: Int, width: Int): Planes {
        val between = resizeRows(map, height)
        val out = FloatArray(map.channels * height * width)
        val taps = Taps(map.width, width)
        for (row in 0 until map.channels * height) taps.apply(between.data, row * map.width, out, row * width)
        return Planes(map.channels, height, width, out)
    }

    /** Row by row what `resize` gives of a single plane, without ever holding all of it. */
    fun eachRow(map: Planes, height: Int, width: Int, take: (Int, FloatArray) -> Unit) {
        require(map.channels == 1) { "eachRow takes one plane, not ${map.channels}" }
        val between = resizeRows(map, height)
        val taps = Taps(map.width, width)
        val row = FloatArray(width)
        for (y in 0 until height) {
            taps.apply(between.data, y * map.width, row, 0)
            take(y, row)
        }
    }

    /**
     * Hands output rows [first] until [end] of [source] to [take]: three colours at their full width.
     *
     * Only the rows that are being summed exist, so that they stay in the processor's nearest memory.
     */
    private fun resizeRows(source: PixelRows, taps: Taps, first: Int, end: Int, take: (Int, FloatArray) -> Unit) {
        val span = source.width
        val sums = Array(taps.overlap(first, end)) { FloatArray(3 * span) }
        val pixels = IntArray(span)
        val colours = FloatArray(3 * span)
        var low = first
        var high = first
        for (y in taps.start[first] until taps.end(end - 1)) {
            while (low < high && taps.end(low) <= y) take(low, sums[low++ % sums.size])
            while (high < end && taps.start[high] <= y) sums[high++ % sums.size].fill(0f)
            source.row(y, pixels)
            split(pixels, colours)
            for (i in low until high) add(colours, taps.weight(i, y), sums[i % sums.size])
        }
        while (low < end) take(low, sums[low++ % sums.size])
    }

    private fun resizeRows(map: Planes, height: Int): Planes {
        val taps = Taps(map.height, height)
        val out = FloatArray(map.channels * height * map.width)
        val row = FloatArray(map.width)
        val sum = FloatArray(map.width)
        for (c in 0 until map.channels) {
            for (i in 0 until height) {
                sum.fill(0f)
                for (y in taps.start[i] until taps.end(i)) {
                    map.data.copyInto(row, 0, (c * map.height + y) * map.width, (c * map.height + y + 1) * map.width)
                    add(row, taps.weight(i, y), sum)
                }
                sum.copyInto(out, (c * height + i) * map.width)
            }
        }
        return Planes(map.channels, height, map.width, out)
    }

    private fun split(pixels: IntArray, colours: FloatArray) {
        val span = pixels.size
        for (x in pixels.indices) {
            val pixel = pixels[x]
            colours[x] = ((pixel shr 16) and 0xff).toFloat()
            colours[span + x] = ((pixel shr 8) and 0xff).toFloat()
            colours[2 * span + x] = (pixel and 0xff).toFloat()
        }
    }

    /** A loop as plain as this is what compilers turn into vector instructions; a place in [sum] to begin at is too much. */
    private fun add(row: FloatArray, weight: Float, sum: FloatArray) {
        for (x in row.indices) sum[x] += weight * row[x]
    }
}
