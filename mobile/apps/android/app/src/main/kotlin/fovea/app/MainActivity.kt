package fovea.app

import android.Manifest
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.content.pm.PackageManager
import android.hardware.display.DisplayManager
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import android.provider.MediaStore
import android.view.Display
import android.view.Surface
import android.view.View
import android.widget.FrameLayout
import fovea.app.views.AboutPanel
import fovea.app.views.BenchmarkPanel
import fovea.app.views.CheckPanel
import fovea.app.views.Header
import fovea.app.views.PicturePanel
import fovea.app.views.column
import fovea.app.views.dp
import fovea.app.views.shown
import fovea.app.views.stretched
import fovea.core.FoveaError
import fovea.core.session.Session
import fovea.core.ui.CAMERA_REFUSED
import fovea.core.ui.Camera
import fovea.core.ui.Screen
import fovea.core.ui.State
import java.io.IOException
import java.util.concurrent.Executor
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

private const val PHOTO = 1
private const val SAVE = 2
private const val CAMERA = 3

/** The one activity: it draws a session's state and hands it what the person and the system do. */
class MainActivity : Activity() {
    private lateinit var worker: ExecutorService
    private lateinit var session: Session
    private lateinit var feed: CameraFeed
    private lateinit var header: Header
    private lateinit var picture: PicturePanel
    private lateinit var check: CheckPanel
    private lateinit var benchmark: BenchmarkPanel
    private lateinit var about: AboutPanel
    private lateinit var panels: Map<View, Set<Screen>>
    private var started = false

    override fun onCreate(saved: Bundle?) {
        setTheme(android.R.style.Theme_Material_Light_NoActionBar)
        super.onCreate(saved)
        val handler = Handler(Looper.getMainLooper())
        val device = (application as FoveaApplication).device
        worker = Executors.newSingleThreadExecutor()
        session = Session(device, worker, Executor { handler.post(it) })
        feed = CameraFeed(this, FrameReader(::displayDegrees, session::frame), session::camera)
        build()
        session.changed = ::render
        session.shown = picture.stage::show
        render(session.state)
        session.start()
    }

    override fun onStart() {
        super.onStart()
        started = true
        follow(session.state)
    }

    override fun onStop() {
        started = false
        feed.close()
        super.onStop()
    }

    override fun onDestroy() {
        session.close()
        worker.shutdown()
        super.onDestroy()
    }

    private fun build() {
        header = Header(this, session)
        picture = PicturePanel(this, session, ::choosePhoto, ::useCamera)
        check = CheckPanel(this, session)
        benchmark = BenchmarkPanel(this, session, ::saveRows)
        about = AboutPanel(this)
        panels = mapOf(
            picture.view to setOf(Screen.PHOTO, Screen.CAMERA),
            check.view to setOf(Screen.CHECK),
            benchmark.view to setOf(Screen.BENCHMARK),
            about.view to setOf(Screen.ABOUT),
        )
        val content = FrameLayout(this).apply { panels.keys.forEach(::addView) }
        val screen = column(header.view, content.stretched(vertical = true)).apply {
            setPadding(dp(8), dp(8), dp(8), dp(8))
        }
        // The system's bars overwrite the padding of the view that makes room for them.
        setContentView(FrameLayout(this).apply { fitsSystemWindows = true; addView(screen) })
    }

    private fun render(state: State) {
        header.render(state)
        panels.forEach { (view, screens) -> view.shown = state.screen in screens }
        when (state.screen) {
            Screen.PHOTO, Screen.CAMERA -> picture.render(state)
            Screen.CHECK -> check.render(state)
            Screen.BENCHMARK -> benchmark.render(state)
            Screen.ABOUT -> about.render(state)
        }
        follow(state)
    }

    /** The camera runs while its screen is shown, and not otherwise. */
    private fun follow(state: State) {
        if (state.screen != Screen.CAMERA) feed.close() else if (started && state.camera == Camera.OFF) useCamera()
    }

    private fun useCamera() = when {
        mayUseCamera() -> feed.open()
        else -> {
            session.camera(Camera.ASKING)
            requestPermissions(arrayOf(Manifest.permission.CAMERA), CAMERA)
        }
    }

    private fun mayUseCamera(): Boolean =
        checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED

    override fun onRequestPermissionsResult(code: Int, names: Array<out String>, results: IntArray) {
        super.onRequestPermissionsResult(code, names, results)
        if (code != CAMERA) return
        when (results.firstOrNull()) {
            PackageManager.PERMISSION_GRANTED -> session.camera(Camera.OFF) // and so the screen opens it
            null -> session.camera(Camera.FAILED) // the question was interrupted, not answered
            else -> session.camera(Camera.REFUSED, CAMERA_REFUSED)
        }
    }

    private fun choosePhoto() {
        val any = Intent(Intent.ACTION_GET_CONTENT).setType("image/*").addCategory(Intent.CATEGORY_OPENABLE)
        val picker = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) Intent(MediaStore.ACTION_PICK_IMAGES) else any
        try {
            startActivityForResult(picker, PHOTO)
        } catch (_: ActivityNotFoundException) {
            startActivityForResult(any, PHOTO)
        }
    }

    private fun saveRows() = startActivityForResult(
        Intent(Intent.ACTION_CREATE_DOCUMENT).setType("application/json").addCategory(Intent.CATEGORY_OPENABLE)
            .putExtra(Intent.EXTRA_TITLE, rowsFile(this).name),
        SAVE,
    )

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        super.onActivityResult(request, result, data)
        val uri = data?.data ?: return
        if (result != RESULT_OK) return
        when (request) {
            PHOTO -> session.predict { tell -> PhotoReader(contentResolver).read(uri, tell) }
            SAVE -> session.tell { saved(uri) }
        }
    }

    private fun saved(uri: Uri): String {
        try {
            val out = contentResolver.openOutputStream(uri) ?: throw IOException("its app does not take it")
            out.use { rowsFile(this).inputStream().use { rows -> rows.copyTo(it) } }
        } catch (error: IOException) {
            throw FoveaError("The rows were not saved (${error.message}); choose another place", error)
        }
        return "The rows are saved."
    }

    private fun displayDegrees(): Int {
        val display = getSystemService(DisplayManager::class.java)?.getDisplay(Display.DEFAULT_DISPLAY)
        return when (display?.rotation) {
            Surface.ROTATION_90 -> 90
            Surface.ROTATION_180 -> 180
            Surface.ROTATION_270 -> 270
            else -> 0
        }
    }
}
