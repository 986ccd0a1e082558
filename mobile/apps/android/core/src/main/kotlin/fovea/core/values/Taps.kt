package fovea.core.values

import kotlin.math.abs
import kotlin.math.max

/** For every output pixel of an axis: the first input pixel it covers, and their weights. */
internal class Taps(size: Int, outputs: Int) {
    val start = IntArray(outputs)
    private val weights: Array<FloatArray>

    init {
        require(size > 0 && outputs > 0) { "cannot resize $size pixels to $outputs; sizes start at 1" }
        val scale = size.toDouble() / outputs
        val support = max(1.0, scale)
        weights = Array(outputs) { i ->
            val centre = (i + 0.5) * scale
            var first = max(0, (centre - support - 0.5).toInt() - 1)
            while (weight(first, centre, support) == 0.0) first++
            var end = first
            var sum = 0.0
            while (end < size && weight(end, centre, support) > 0.0) sum += weight(end++, centre, support)
            start[i] = first
            FloatArray(end - first) { (weight(first + it, centre, support) / sum).toFloat() }
        }
    }

    fun end(i: Int): Int = start[i] + weights[i].size

    fun weight(i: Int, input: Int): Float = weights[i][input - start[i]]

    /** Resizes the line of [input] that begins at [from] into [out] at [to]. */
    fun apply(input: FloatArray, from: Int, out: FloatArray, to: Int) {
        for (i in weights.indices) {
            val taps = weights[i]
            val first = from + start[i]
            var sum = 0f
            for (k in taps.indices) sum += taps[k] * input[first + k]
            out[to + i] = sum
        }
    }

    /**
     * [apply] to three lines at once, [step] apart in [input]: sums that do not wait for each other.
     *
     * In [out] the next pixel is [ahead] further, and the next colour [colour].
     */
    fun applyColours(input: FloatArray, step: Int, out: FloatArray, to: Int, ahead: Int, colour: Int) {
        var place = to
        for (i in weights.indices) {
            var at = start[i]
            var red = 0f
            var green = 0f
            var blue = 0f
            for (weight in weights[i]) {
                red += weight * input[at]
                green += weight * input[at + step]
                blue += weight * input[at + 2 * step]
                at++
            }
            out[place] = red
            out[place + colour] = green
            out[place + 2 * colour] = blue
            place += ahead
        }
    }

    /** How many output pixels of [first] until [last] are being summed at once at most. */
    fun overlap(first: Int, last: Int): Int = (first until last).maxOf { i ->
        var next = i
        while (next < last && start[next] < end(i)) next++
        next - i
    }

    private fun weight(j: Int, centre: Double, support: Double): Double =
        max(0.0, 1.0 - abs(j + 0.5 - centre) / support)
}
