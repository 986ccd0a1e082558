package fovea.app

import android.content.Intent
import android.os.BatteryManager
import android.os.PowerManager
import fovea.core.FoveaError
import fovea.core.bundle.readIndex
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** What the phone says of itself. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = FoveaApplication::class)
class AndroidDeviceTest {
    private val context = RuntimeEnvironment.getApplication()
    private val device = AndroidDevice(context)

    @Test
    fun `its battery's temperature and its own word for heat are read`() {
        @Suppress("DEPRECATION") // how the system itself tells of its battery
        context.sendStickyBroadcast(Intent(Intent.ACTION_BATTERY_CHANGED).putExtra(BatteryManager.EXTRA_TEMPERATURE, 315))
        assertEquals(31.5, device.surroundings.temperature())
        val words = (PowerManager.THERMAL_STATUS_NONE..PowerManager.THERMAL_STATUS_SHUTDOWN).map { status ->
            shadowOf(context.getSystemService(PowerManager::class.java)).setCurrentThermalStatus(status)
            device.surroundings.thermal()?.word
        }
        assertEquals(listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown"), words)
    }

    @Test
    fun `a battery that says nothing has no temperature`() {
        assertNull(device.surroundings.temperature())
    }

    @Test
    fun `it names its kind and both runtimes, whichever load`() {
        val place = device.place
        assertEquals("Android 14 (API 34)", place.os)
        assertEquals(4, place.runtimes.size)
        assertTrue(!place.emulator && place.clocks.isNotEmpty() && device.threads in 1..4)
    }

    @Test
    fun `rows gather in a file`() {
        val path = device.keep("{\"a\": 1}")
        assertEquals(path, device.keep("{\"a\": 2}"))
        assertEquals("{\"a\": 1}\n{\"a\": 2}\n", rowsFile(context).readText())
    }

    @Test
    fun `assets without bundles say what to do`() {
        assertTrue("fovea bundle install" in assertFailsWith<FoveaError> { readIndex(device.shelf()) }.message!!)
    }
}
