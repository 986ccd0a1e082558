package fovea.app

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.net.Uri
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.Spinner
import android.widget.TextView
import fovea.core.session.Device
import fovea.core.testing.HostDevice
import fovea.core.testing.setting
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import java.io.ByteArrayInputStream
import java.io.File
import kotlin.test.assertTrue

private const val PATIENCE_SECONDS = 120

/** The activity on a computer's runtimes, and what a person could do with it. */
class Screens(device: Device = HostDevice(File(setting("fovea.bundles")), ::decodeExactly)) : AutoCloseable {
    private val controller: ActivityController<MainActivity>

    init {
        (RuntimeEnvironment.getApplication() as FoveaApplication).device = device
        controller = Robolectric.buildActivity(MainActivity::class.java).setup()
        settle()
    }

    val activity: MainActivity = controller.get()

    /** All that can be read. */
    val texts: List<String>
        get() = views().filterIsInstance<TextView>().map { it.text.toString() }.filter { it.isNotEmpty() }

    fun press(title: String) {
        val button = views().filterIsInstance<Button>().firstOrNull { it.text.toString() == title }
        assertTrue(button != null && button.isEnabled, "no button '$title' can be pressed; there is $texts")
        button.performClick()
        settle()
    }

    inline fun <reified T : View> only(): T = views().filterIsInstance<T>().single()

    fun views(): List<View> = everyView(activity.window.decorView)

    /** Hands over a file as the system's picker does. */
    fun choose(name: String, content: ByteArray, mime: String = "image/png") {
        val uri = Uri.parse("content://pictures/$name")
        val resolver = shadowOf(activity.contentResolver)
        resolver.registerInputStreamSupplier(uri) { ByteArrayInputStream(content) }
        press("Choose a photograph")
        val asked: Intent = shadowOf(activity).peekNextStartedActivityForResult().intent
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, Intent().setDataAndType(uri, mime))
        settle()
    }

    /** Waits until the worker and the screen have nothing left to do. */
    fun settle() {
        val limit = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L
        do {
            shadowOf(Looper.getMainLooper()).idle()
            Thread.sleep(10)
            shadowOf(Looper.getMainLooper()).idle()
            assertTrue(System.nanoTime() < limit, "still busy: $busy")
        } while (busy != null)
    }

    private val busy: String?
        get() = everyView(controller.get().window.decorView).filterIsInstance<TextView>()
            .map { it.text.toString() }.firstOrNull { it.endsWith(" …") && !it.startsWith("Save") }

    /** What the screen looks like; kept where a folder for pictures is named. */
    fun picture(name: String): Bitmap {
        val view = activity.window.decorView
        val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(bitmap))
        val folder = System.getProperty("fovea.pictures").orEmpty()
        if (folder.isNotEmpty()) {
            File(folder, "$name.png").outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
        }
        return bitmap
    }

    fun background() {
        controller.pause().stop()
        settle()
    }

    fun foreground() {
        controller.restart().start().resume()
        settle()
    }

    override fun close() {
        controller.pause().stop().destroy()
    }
}

/** [root] and all that it shows. */
private fun everyView(root: View): List<View> {
    if (root.visibility != View.VISIBLE) return emptyList()
    val children = if (root is ViewGroup) (0 until root.childCount).flatMap { everyView(root.getChildAt(it)) } else emptyList()
    return listOf(root) + children
}

/** Chooses [name] in whichever spinner offers it. */
fun Screens.select(name: String) {
    val spinner = views().filterIsInstance<Spinner>().first { spinner ->
        (0 until spinner.count).any { spinner.getItemAtPosition(it) == name }
    }
    val position = (0 until spinner.count).first { spinner.getItemAtPosition(it) == name }
    spinner.setSelection(position)
    spinner.onItemSelectedListener?.onItemSelected(spinner, null, position, position.toLong())
    settle()
}
