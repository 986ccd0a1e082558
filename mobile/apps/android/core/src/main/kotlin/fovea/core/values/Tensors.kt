package fovea.core.values

import fovea.core.bundle.Layout

/** The values of [planes] in the order that a file takes them. */
fun tensor(planes: Planes, layout: Layout): FloatArray = when (layout) {
    Layout.NCHW -> planes.data
    Layout.NHWC -> interleaved(planes)
}

private fun interleaved(planes: Planes): FloatArray {
    val out = FloatArray(planes.data.size)
    val count = planes.channels
    for (c in 0 until count) {
        val plane = c * planes.area
        for (i in 0 until planes.area) out[i * count + c] = planes.data[plane + i]
    }
    return out
}
