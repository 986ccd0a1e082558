package fovea.app

import android.media.Image
import fovea.core.image.Pixels
import fovea.core.image.YuvPlane
import fovea.core.image.frameOrientation
import fovea.core.image.pixelsOfYuv
import fovea.core.image.upright
import java.nio.ByteBuffer

/** Makes upright pixels of a camera's frames; [give] may decline a frame, which is then not converted. */
class FrameReader(private val displayDegrees: () -> Int, private val give: (() -> Pixels?) -> Unit) {
    private var sensorDegrees = 0
    private var front = false

    /** How the camera's sensor is mounted. */
    fun mounted(degrees: Int, front: Boolean) {
        sensorDegrees = degrees
        this.front = front
    }

    fun take(image: Image) = give {
        val (luma, u, v) = image.planes.map { YuvPlane(bytes(it.buffer), it.rowStride, it.pixelStride) }
        val into = IntArray(image.width * image.height)
        val stored = pixelsOfYuv(image.width, image.height, luma, u, v, into)
        upright(stored, frameOrientation(sensorDegrees, displayDegrees(), front))
    }

    /** The image closes before its pixels are looked at. */
    private fun bytes(buffer: ByteBuffer): ByteArray = ByteArray(buffer.remaining()).also { buffer.get(it) }
}
