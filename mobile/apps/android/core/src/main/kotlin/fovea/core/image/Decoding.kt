package fovea.core.image

import fovea.core.FoveaError

/** Pixels that are decoded at most: a phone's own photographs whole, larger ones smaller. */
const val MOST_PIXELS = 16_000_000L

private const val HEIF_SINCE = 28

/** By which power of two a decoder should shrink a picture of [width] x [height] while it reads it. */
fun sampleSize(width: Int, height: Int, most: Long = MOST_PIXELS): Int {
    var sample = 1
    while ((width.toLong() / sample) * (height.toLong() / sample) > most) sample *= 2
    return sample
}

/** Throws [FoveaError] with what to do for a picture of [width] x [height], type [mime], that no decoder of this system takes. */
fun requireDecodable(name: String, width: Int, height: Int, mime: String?, api: Int) {
    if (width > 0 && height > 0) return
    throw FoveaError(unreadable(name, mime, api))
}

/** Why a picture was not decoded, for a person. */
fun unreadable(name: String, mime: String?, api: Int): String {
    val heif = mime != null && (mime.endsWith("/heic") || mime.endsWith("/heif"))
    return when {
        heif && api < HEIF_SINCE ->
            "$name is a HEIC picture, which Android reads from version 9 on; save it as JPEG and choose it again"
        heif -> "$name is a HEIC picture that this phone does not decode; save it as JPEG and choose it again"
        mime != null && !mime.startsWith("image/") -> "$name is no picture but $mime; choose a photograph"
        else -> "$name is empty, damaged, or of a kind that this phone does not decode; choose another, or save it as JPEG"
    }
}
