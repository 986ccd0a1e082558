package fovea.app

import android.graphics.Bitmap
import fovea.core.image.Pixels
import java.io.ByteArrayOutputStream

private const val SOI = 2

/** A picture with a bright square on a dark ground: a corner of it tells how it is turned. */
fun square(width: Int, height: Int): Pixels = Pixels(width, height, IntArray(width * height) { i ->
    val (x, y) = i % width to i / width
    if (x < width / 3 && y < height / 3) 0xfff0d060.toInt() else 0xff203050.toInt()
})

fun encoded(pixels: Pixels, format: Bitmap.CompressFormat = Bitmap.CompressFormat.PNG): ByteArray =
    ByteArrayOutputStream().also { pixels.bitmap().compress(format, 100, it) }.toByteArray()

/** A JPEG that says in its EXIF how it is to be turned. */
fun turnedJpeg(pixels: Pixels, orientation: Int): ByteArray {
    val jpeg = encoded(pixels, Bitmap.CompressFormat.JPEG)
    val tiff = listOf(
        'M'.code, 'M'.code, 0, 42, 0, 0, 0, 8, // big-endian, first directory at 8
        0, 1, // one entry:
        0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, // orientation, one short
        0, 0, 0, 0,
    )
    val body = listOf('E'.code, 'x'.code, 'i'.code, 'f'.code, 0, 0) + tiff
    val segment = listOf(0xff, 0xe1, 0, body.size + 2) + body
    return jpeg.copyOf(SOI) + segment.map { it.toByte() } + jpeg.drop(SOI)
}
