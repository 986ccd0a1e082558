package fovea.app

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import fovea.core.image.Pixels

/** Options under which a decoder gives the pixels that a file stores: no density, no premultiplied colours. */
fun exactOptions(): BitmapFactory.Options = BitmapFactory.Options().apply {
    inScaled = false
    inPremultiplied = false
    inPreferredConfig = Bitmap.Config.ARGB_8888
}

/** A picture of a bundle, or null where it is none. */
fun decodeExactly(bytes: ByteArray): Pixels? {
    val bitmap = BitmapFactory.decodeByteArray(bytes, 0, bytes.size, exactOptions()) ?: return null
    return bitmap.pixels().also { bitmap.recycle() }
}

fun Bitmap.pixels(): Pixels {
    val argb = IntArray(width * height)
    getPixels(argb, 0, width, 0, 0, width, height)
    return Pixels(width, height, argb)
}

/** A bitmap of these pixels; [reused] is overwritten where it has their size. */
fun Pixels.bitmap(reused: Bitmap? = null): Bitmap {
    val fits = reused != null && reused.width == width && reused.height == height && reused.isMutable
    val bitmap = if (fits) reused else Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
    bitmap.setPixels(argb, 0, width, 0, 0, width, height)
    return bitmap
}
