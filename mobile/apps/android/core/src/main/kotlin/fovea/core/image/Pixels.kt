package fovea.core.image

/** A picture that is read row by row, so that a large one need not be copied first. */
interface PixelRows {
    val width: Int
    val height: Int

    /** Writes the ARGB pixels of row [y] into [into], from any thread; who reads colours ignores alpha. */
    fun row(y: Int, into: IntArray)
}

/** A picture as ARGB pixels, not premultiplied, row after row, as Android's bitmaps give them. */
class Pixels(override val width: Int, override val height: Int, val argb: IntArray) : PixelRows {
    init {
        require(width > 0 && height > 0 && argb.size == width * height) {
            "${argb.size} pixels are not $width x $height"
        }
    }

    override fun row(y: Int, into: IntArray) {
        argb.copyInto(into, 0, y * width, (y + 1) * width)
    }
}

private const val OPAQUE = 0xff

/** [argb] of a [picture][Pixels] with transparency laid on white, in place. */
fun layOnWhite(argb: IntArray) {
    for (i in argb.indices) {
        val pixel = argb[i]
        val alpha = pixel ushr 24
        if (alpha != OPAQUE) {
            val red = onWhite((pixel shr 16) and 0xff, alpha)
            val green = onWhite((pixel shr 8) and 0xff, alpha)
            val blue = onWhite(pixel and 0xff, alpha)
            argb[i] = (OPAQUE shl 24) or (red shl 16) or (green shl 8) or blue
        }
    }
}

private fun onWhite(colour: Int, alpha: Int): Int = (colour * alpha + OPAQUE * (OPAQUE - alpha) + OPAQUE / 2) / OPAQUE
