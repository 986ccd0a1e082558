package fovea.app

import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.media.ExifInterface
import android.net.Uri
import android.os.Build
import android.provider.OpenableColumns
import fovea.core.FoveaError
import fovea.core.image.Pixels
import fovea.core.image.layOnWhite
import fovea.core.image.requireDecodable
import fovea.core.image.sampleSize
import fovea.core.image.unreadable
import fovea.core.image.upright
import java.io.IOException
import java.io.InputStream

private const val SMALLEST_TRY = 64

/** Reads photographs that the system's picker gave: upright, on white, large ones smaller. */
class PhotoReader(private val resolver: ContentResolver) {
    /** The pixels of [uri]; [tell] hears what a person should know. Throws [FoveaError] with what to do. */
    fun read(uri: Uri, tell: (String) -> Unit): Pixels {
        val name = nameOf(uri)
        try {
            val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
            opened(uri).use { BitmapFactory.decodeStream(it, null, bounds) }
            val mime = bounds.outMimeType ?: resolver.getType(uri)
            requireDecodable(name, bounds.outWidth, bounds.outHeight, mime, Build.VERSION.SDK_INT)
            val sample = sampleSize(bounds.outWidth, bounds.outHeight)
            val (bitmap, taken) = decoded(uri, sample) ?: throw FoveaError(unreadable(name, mime, Build.VERSION.SDK_INT))
            if (taken > 1) {
                tell("$name is ${bounds.outWidth}x${bounds.outHeight}; it was read at 1/$taken of its size.")
            }
            val pixels = bitmap.pixels()
            bitmap.recycle()
            layOnWhite(pixels.argb)
            return upright(pixels, orientationOf(uri))
        } catch (error: IOException) {
            throw FoveaError("$name cannot be read (${error.message}); choose it again or another one", error)
        } catch (error: SecurityException) {
            throw FoveaError("$name may no longer be read; choose it again", error)
        }
    }

    /** Smaller still where the memory does not suffice. */
    private fun decoded(uri: Uri, first: Int): Pair<Bitmap, Int>? {
        var sample = first
        while (true) {
            try {
                val options = exactOptions().apply { inSampleSize = sample }
                return opened(uri).use { BitmapFactory.decodeStream(it, null, options) }?.let { it to sample }
            } catch (error: OutOfMemoryError) {
                if (sample >= SMALLEST_TRY) throw error
                sample *= 2
            }
        }
    }

    private fun orientationOf(uri: Uri): Int = try {
        opened(uri).use { ExifInterface(it).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL) }
    } catch (_: IOException) { // a kind of file that has no EXIF
        ExifInterface.ORIENTATION_NORMAL
    }

    private fun opened(uri: Uri): InputStream =
        resolver.openInputStream(uri) ?: throw IOException("its app does not hand it out")

    private fun nameOf(uri: Uri): String {
        val columns = arrayOf(OpenableColumns.DISPLAY_NAME)
        val found = resolver.query(uri, columns, null, null, null)?.use { if (it.moveToFirst()) it.getString(0) else null }
        return found ?: uri.lastPathSegment ?: "The picture"
    }
}
