package fovea.core.image

/**
 * One plane of a camera's frame: bytes from 0, with [rowStride] between rows and [pixelStride] between
 * pixels, which is 1 for luma.
 */
class YuvPlane(val bytes: ByteArray, val rowStride: Int, val pixelStride: Int)

private const val SHIFT = 16
private const val HALF = 1 shl (SHIFT - 1)
private const val RED_OF_V = 91881 // 1.402
private const val GREEN_OF_U = 22554 // 0.344136
private const val GREEN_OF_V = 46802 // 0.714136
private const val BLUE_OF_U = 116130 // 1.772

/** ARGB of a YUV 4:2:0 frame in the full range of JFIF, which is what Android's cameras give. */
fun pixelsOfYuv(width: Int, height: Int, luma: YuvPlane, u: YuvPlane, v: YuvPlane, into: IntArray): Pixels {
    val levels = luma.bytes
    val blues = u.bytes
    val reds = v.bytes
    for (y in 0 until height) {
        val row = y * width
        val lumaRow = y * luma.rowStride
        var uAt = (y / 2) * u.rowStride
        var vAt = (y / 2) * v.rowStride
        var x = 0
        while (x < width) {
            // Two pixels of a row share their colour.
            val blueness = (blues[uAt].toInt() and 0xff) - 128
            val redness = (reds[vAt].toInt() and 0xff) - 128
            val red = (RED_OF_V * redness + HALF) shr SHIFT
            val green = -((GREEN_OF_U * blueness + GREEN_OF_V * redness + HALF) shr SHIFT)
            val blue = (BLUE_OF_U * blueness + HALF) shr SHIFT
            val end = minOf(x + 2, width)
            while (x < end) {
                val level = levels[lumaRow + x].toInt() and 0xff
                into[row + x] = opaque(clamped(level + red), clamped(level + green), clamped(level + blue))
                x++
            }
            uAt += u.pixelStride
            vAt += v.pixelStride
        }
    }
    return Pixels(width, height, into)
}

private fun clamped(value: Int): Int = if (value < 0) 0 else if (value > 255) 255 else value

private fun opaque(red: Int, green: Int, blue: Int): Int = (0xff shl 24) or (red shl 16) or (green shl 8) or blue
