package fovea.core.golden

import kotlin.math.abs
import kotlin.math.sqrt

/** How alike two arrays are: the largest difference, and Pearson's correlation (null: one of them is constant). */
class Likeness(val maxAbs: Double, val cc: Double?)

fun likeness(a: FloatArray, b: FloatArray): Likeness = Likeness(largestDifference(a, b), correlation(a, b))

fun largestDifference(a: FloatArray, b: FloatArray): Double {
    require(a.size == b.size && a.isNotEmpty()) { "${a.size} and ${b.size} values cannot be compared" }
    var largest = 0.0
    for (i in a.indices) {
        val difference = abs(a[i].toDouble() - b[i].toDouble())
        // A difference that is no number must not pass for a small one.
        if (difference.isNaN()) return Double.NaN
        largest = maxOf(largest, difference)
    }
    return largest
}

fun correlation(a: FloatArray, b: FloatArray): Double? {
    require(a.size == b.size && a.isNotEmpty()) { "${a.size} and ${b.size} values cannot be compared" }
    if (isConstant(a) || isConstant(b)) return null
    val meanA = a.sumOf { it.toDouble() } / a.size
    val meanB = b.sumOf { it.toDouble() } / b.size
    var both = 0.0
    var ofA = 0.0
    var ofB = 0.0
    for (i in a.indices) {
        val x = a[i] - meanA
        val y = b[i] - meanB
        both += x * y
        ofA += x * x
        ofB += y * y
    }
    return both / sqrt(ofA * ofB)
}

private fun isConstant(values: FloatArray): Boolean = values.all { it == values[0] }
