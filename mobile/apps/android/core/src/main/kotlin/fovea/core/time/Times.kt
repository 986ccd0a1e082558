package fovea.core.time

import kotlin.math.floor
import kotlin.math.sqrt
import kotlin.random.Random

/** What repeats of timed runs, in ms, come to. */
class Times(val repeats: List<List<Double>>) {
    private val sorted = repeats.flatten().sorted()

    init {
        require(repeats.isNotEmpty() && repeats.all { it.isNotEmpty() }) { "a repeat holds no timed run" }
    }

    val p50 = percentile(sorted, 0.50)
    val p90 = percentile(sorted, 0.90)
    val p95 = percentile(sorted, 0.95)
    val p99 = percentile(sorted, 0.99)
    val mean = sorted.sum() / sorted.size
    val cv = sqrt(sorted.sumOf { (it - mean) * (it - mean) } / sorted.size) / mean
    val repeatP50 = repeats.map { percentile(it.sorted(), 0.50) }
    val spread = (repeatP50.max() - repeatP50.min()) / p50

    /** Bootstrap 95 % interval of the median; the same samples give the same interval. */
    fun medianInterval(resamples: Int = 2000): Pair<Double, Double> {
        val random = Random(0)
        val medians = List(resamples) {
            percentile(DoubleArray(sorted.size) { sorted[random.nextInt(sorted.size)] }.sorted(), 0.50)
        }.sorted()
        return percentile(medians, 0.025) to percentile(medians, 0.975)
    }
}

/** The [share] of [sorted] values, linear between order statistics. */
fun percentile(sorted: List<Double>, share: Double): Double {
    val rank = share * (sorted.size - 1)
    val below = floor(rank).toInt()
    val above = minOf(below + 1, sorted.size - 1)
    return sorted[below] + (rank - below) * (sorted[above] - sorted[below])
}
