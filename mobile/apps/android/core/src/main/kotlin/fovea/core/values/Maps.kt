package fovea.core.values

import fovea.core.bundle.Meaning
import kotlin.math.exp

/** What an output says: values of 0-1, in its own shape. */
fun mapOf(output: Planes, meaning: Meaning): Planes {
    val values = when (meaning) {
        Meaning.LOGITS -> FloatArray(output.data.size) { (1 / (1 + exp(-output.data[it].toDouble()))).toFloat() }
        Meaning.LOG_DENSITY -> peaked(output.data)
        Meaning.CLASS_LOGITS -> shares(output)
    }
    return Planes(output.channels, output.height, output.width, values)
}

/** A softmax over all pixels, scaled to a peak of 1: its sum cancels. */
private fun peaked(logs: FloatArray): FloatArray {
    val peak = logs.max().toDouble()
    return FloatArray(logs.size) { exp(logs[it] - peak).toFloat() }
}

private fun shares(output: Planes): FloatArray {
    val area = output.area
    val out = FloatArray(output.data.size)
    val raised = DoubleArray(output.channels)
    for (pixel in 0 until area) {
        var peak = Float.NEGATIVE_INFINITY
        for (c in 0 until output.channels) peak = maxOf(peak, output.data[c * area + pixel])
        var sum = 0.0
        for (c in 0 until output.channels) {
            raised[c] = exp((output.data[c * area + pixel] - peak).toDouble())
            sum += raised[c]
        }
        for (c in 0 until output.channels) out[c * area + pixel] = (raised[c] / sum).toFloat()
    }
    return out
}
