package fovea.app

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import android.util.Size
import fovea.core.ui.CAMERA_NONE
import fovea.core.ui.Camera
import kotlin.math.abs

private const val PREFERRED_PIXELS = 300_000
private const val BUFFERS = 2

/**
 * Frames of a camera. [frames] takes them on a thread of the feed's own; all else happens on the main
 * thread, where [changed] hears what became of the camera.
 */
class CameraFeed(
    context: Context,
    private val frames: FrameReader,
    private val changed: (Camera, String?) -> Unit,
) {
    private val main = Handler(Looper.getMainLooper())
    private val manager = context.getSystemService(CameraManager::class.java)
    private var thread: HandlerThread? = null
    private var device: CameraDevice? = null
    private var reader: ImageReader? = null

    /** Opens the camera on the back, or any other; needs the permission. */
    fun open() {
        if (thread != null) return
        try {
            val id = chosen() ?: return changed(Camera.FAILED, CAMERA_NONE)
            start(id, manager.getCameraCharacteristics(id))
        } catch (error: CameraAccessException) {
            fail(error.message)
        } catch (error: SecurityException) {
            fail(error.message)
        } catch (error: IllegalArgumentException) { // a camera that was unplugged meanwhile
            fail(error.message)
        }
    }

    fun close() {
        if (thread == null) return
        release()
        changed(Camera.OFF, null)
    }

    private fun release() {
        device?.close()
        device = null
        reader?.close()
        reader = null
        thread?.quitSafely()
        thread = null
    }

    private fun chosen(): String? {
        val ids = manager.cameraIdList
        return ids.firstOrNull { facing(it) == CameraCharacteristics.LENS_FACING_BACK } ?: ids.firstOrNull()
    }

    private fun facing(id: String): Int? = manager.getCameraCharacteristics(id).get(CameraCharacteristics.LENS_FACING)

    @SuppressLint("MissingPermission") // asked for by the activity before
    private fun start(id: String, facts: CameraCharacteristics) {
        val sizes = facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP)
            ?.getOutputSizes(ImageFormat.YUV_420_888)
        val size = sizes?.minByOrNull { abs(it.width * it.height - PREFERRED_PIXELS) }
            ?: return changed(Camera.FAILED, CAMERA_NONE)
        changed(Camera.STARTING, null)
        frames.mounted(
            facts.get(CameraCharacteristics.SENSOR_ORIENTATION) ?: 0,
            facts.get(CameraCharacteristics.LENS_FACING) == CameraCharacteristics.LENS_FACING_FRONT,
        )
        val own = HandlerThread("camera").also { it.start() }
        thread = own
        reader = images(size, Handler(own.looper))
        manager.openCamera(id, Opening(), main)
    }

    private fun images(size: Size, handler: Handler): ImageReader =
        ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, BUFFERS).apply {
            setOnImageAvailableListener({ it.acquireLatestImage()?.use(frames::take) }, handler)
        }

    private fun fail(why: String?) {
        release()
        changed(Camera.FAILED, "The camera does not start (${why ?: "no reason given"}); close other apps that use it.")
    }

    private inner class Opening : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            val surface = reader?.surface
            if (surface == null) { // closed while it opened
                camera.close()
                return
            }
            device = camera
            try {
                @Suppress("DEPRECATION") // its successor needs Android 9
                camera.createCaptureSession(listOf(surface), Running(), main)
            } catch (error: CameraAccessException) {
                fail(error.message)
            } catch (error: IllegalStateException) { // closed while it opened
                fail(error.message)
            }
        }

        override fun onDisconnected(camera: CameraDevice) {
            camera.close()
            fail("another app took it")
        }

        override fun onError(camera: CameraDevice, error: Int) {
            camera.close()
            fail("error $error")
        }
    }

    private inner class Running : CameraCaptureSession.StateCallback() {
        override fun onConfigured(session: CameraCaptureSession) {
            val surface = reader?.surface ?: return
            try {
                val request = session.device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
                    addTarget(surface)
                    set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
                }
                session.setRepeatingRequest(request.build(), null, main)
                changed(Camera.LIVE, null)
            } catch (error: CameraAccessException) {
                fail(error.message)
            } catch (error: IllegalStateException) { // closed while it was configured
                fail(error.message)
            }
        }

        override fun onConfigureFailed(session: CameraCaptureSession) = fail("it takes no such pictures")
    }
}
