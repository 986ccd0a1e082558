package fovea.app

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.util.Size
import android.widget.SeekBar
import fovea.app.views.StageView
import fovea.core.bundle.Bundle
import fovea.core.bundle.BundleFiles
import fovea.core.run.EngineOpener
import fovea.core.testing.HostDevice
import fovea.core.testing.setting
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.ShadowCameraManager
import org.robolectric.shadows.StreamConfigurationMapBuilder
import java.io.File
import java.io.FileNotFoundException
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue

/** The screens themselves, on Android's own views and graphics. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [34], application = FoveaApplication::class, qualifiers = "w400dp-h800dp-xhdpi")
class ScreensTest {
    private val folder = File(setting("fovea.bundles"))
    private val photo: ByteArray
        get() = System.getProperty("fovea.photo").orEmpty().takeIf { it.isNotEmpty() }?.let { File(it).readBytes() }
            ?: encoded(square(300, 200))

    private fun onScreens(act: (Screens) -> Unit) = Screens().use(act)

    @Test
    fun `a photograph gets a layer whose opacity can be chosen`() = onScreens { screens ->
        assertTrue("Choose a photograph." in screens.texts)
        screens.choose("photo.png", photo)
        assertTrue(screens.texts.any { "ms model" in it }, "${screens.texts}")
        val strong = screens.picture("photo")
        val bar = screens.only<SeekBar>()
        val stage = screens.only<StageView>()
        assertEquals(70, stage.opacityPercent)
        bar.progress = 0
        // A person's finger, not the program's own setting.
        shadowOf(bar).onSeekBarChangeListener.onProgressChanged(bar, 0, true)
        val bare = screens.picture("photo_bare")
        assertTrue(!strong.sameAs(bare))
        assertEquals(0, stage.opacityPercent)
    }

    @Test
    fun `a semantic bundle shows its legend`() = onScreens { screens ->
        screens.choose("photo.png", photo)
        screens.select("fastsal_a_semantic")
        assertTrue(screens.texts.any { it.endsWith(" %") }, "${screens.texts}")
        screens.picture("semantic")
    }

    @Test
    fun `an object is cut out`() = onScreens { screens ->
        screens.choose("photo.png", photo)
        assertTrue("Cut-out" !in screens.texts)
        screens.select("fastsal_a_objects")
        val layered = screens.picture("objects")
        screens.press("Cut-out")
        assertTrue(!layered.sameAs(screens.picture("cut_out")))
    }

    @Test
    fun `golden vectors pass on the check screen`() = onScreens { screens ->
        screens.press("Check")
        screens.press("Run golden vectors")
        screens.picture("check")
        val summary = screens.texts.single { it.startsWith("All ") }
        assertTrue(summary.endsWith(" golden vectors pass."), summary)
        assertEquals(0, screens.texts.count { it.startsWith("✗") })
    }

    @Test
    fun `times of every file are shown and their rows can be saved`() = onScreens { screens ->
        screens.press("Benchmark")
        screens.press("Measure")
        screens.picture("benchmark")
        val files = screens.only<android.widget.ScrollView>()
        assertTrue(screens.texts.count { "median" in it } >= 1, "${screens.texts}")
        assertTrue(screens.texts.any { "thermal status light" in it })
        assertTrue(files.height > 0)
        screens.press("Save rows …")
    }

    @Test
    fun `a refused camera is said and photographs work on`() = onScreens { screens ->
        screens.press("Camera")
        val asked = shadowOf(screens.activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), asked.requestedPermissions.toList())
        screens.activity.onRequestPermissionsResult(
            asked.requestCode, asked.requestedPermissions, intArrayOf(PackageManager.PERMISSION_DENIED),
        )
        screens.settle()
        assertEquals(1, screens.texts.count { it.startsWith("The camera may not be used.") })
        screens.picture("camera_refused")
        screens.press("Photo")
        screens.choose("photo.png", photo)
        assertTrue(screens.texts.any { "ms model" in it })
    }

    @Test
    fun `an allowed camera that is not there is said`() = onScreens { screens ->
        shadowOf(screens.activity.application).grantPermissions(Manifest.permission.CAMERA)
        screens.press("Camera")
        assertTrue(screens.texts.any { "no camera" in it }, "${screens.texts}")
    }

    @Test
    fun `the camera runs while its screen is shown and not otherwise`() = onScreens { screens ->
        val (live, off) = "Waiting for the camera's first frame." to "The camera is off."
        addCamera(screens.activity)
        screens.press("Camera")
        assertTrue(live in screens.texts, "${screens.texts}")
        screens.background()
        assertTrue(off in screens.texts, "${screens.texts}")
        screens.foreground()
        assertTrue(live in screens.texts)
        screens.press("Photo")
        assertTrue("Choose a photograph." in screens.texts)
    }

    @Test
    fun `a camera that another app takes is said and can be had again`() = onScreens { screens ->
        val camera = addCamera(screens.activity)
        screens.press("Camera")
        camera.triggerDisconnect()
        screens.settle()
        assertEquals(1, screens.texts.count { "another app took it" in it }, "${screens.texts}")
        assertTrue("The camera is off." in screens.texts)
        screens.press("Use the camera")
        assertTrue("Waiting for the camera's first frame." in screens.texts)
    }

    @Test
    fun `a question that was interrupted is no refusal`() = onScreens { screens ->
        screens.press("Camera")
        screens.activity.onRequestPermissionsResult(
            shadowOf(screens.activity).lastRequestedPermission.requestCode, emptyArray(), IntArray(0),
        )
        screens.settle()
        assertTrue(screens.texts.none { "may not be used" in it })
        screens.press("Use the camera")
    }

    @Test
    fun `a damaged bundle is named and another can be chosen`() {
        val damaged = object : HostDevice(folder, ::decodeExactly) {
            override fun bundle(name: String): BundleFiles = super.bundle(name).let { whole ->
                if (name != "fastsal_a") whole else object : BundleFiles by whole {
                    override fun open(path: String) =
                        if (path.endsWith(".tflite")) throw FileNotFoundException(path) else whole.open(path)
                }
            }
        }
        Screens(damaged).use { screens ->
            assertTrue(screens.texts.any { "model.tflite is missing" in it }, "${screens.texts}")
            screens.picture("damaged")
            screens.select("fastsal_a_objects")
            screens.press("OK")
            screens.choose("photo.png", photo)
            assertTrue(screens.texts.any { "ms model" in it })
        }
    }

    @Test
    fun `a runtime that does not load is said with what runs instead`() {
        val halved = object : HostDevice(folder, ::decodeExactly) {
            override fun opener(bundle: Bundle): EngineOpener = super.opener(bundle).let { real ->
                EngineOpener { artefact, threads ->
                    if (artefact.backend == "litert") throw UnsatisfiedLinkError("no tensorflowlite_jni") else real.open(artefact, threads)
                }
            }
        }
        Screens(halved).use { screens ->
            assertTrue("Running executorch_fp32 instead." in screens.texts, "${screens.texts}")
            screens.picture("fallback")
        }
    }

    @Test
    fun `the app says where its model comes from`() = onScreens { screens ->
        screens.press("About")
        val told = screens.texts.single { "input" in it }
        val source = Bundle.open(HostDevice(folder, ::decodeExactly).bundle("fastsal_a")).manifest.source
        assertNotEquals("", source)
        assertTrue(source in told)
    }

    /** A camera on the back that the person allows. */
    private fun addCamera(activity: Activity): ShadowCameraManager {
        shadowOf(activity.application).grantPermissions(Manifest.permission.CAMERA)
        val facts = ShadowCameraCharacteristics.newCameraCharacteristics()
        val sizes = StreamConfigurationMapBuilder.newBuilder().addOutputSize(ImageFormat.YUV_420_888, Size(640, 480)).build()
        shadowOf(facts).set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, sizes)
        shadowOf(facts).set(CameraCharacteristics.LENS_FACING, CameraCharacteristics.LENS_FACING_BACK)
        shadowOf(facts).set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
        return shadowOf(activity.getSystemService(CameraManager::class.java)).apply { addCamera("0", facts) }
    }
}
