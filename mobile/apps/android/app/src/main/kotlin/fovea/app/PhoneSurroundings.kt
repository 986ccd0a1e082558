package fovea.app

import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import android.os.SystemClock
import fovea.app.engines.BACKENDS
import fovea.core.time.Place
import fovea.core.time.Surroundings
import fovea.core.time.Thermal
import org.tensorflow.lite.TensorFlowLite
import java.io.File
import java.io.IOException

private val THERMAL_WORDS = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
private const val CLOCKS = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_"
private const val TENTHS = 10.0

/** The phone's clock, its battery's thermometer, and how hot the system says it is. */
class PhoneSurroundings(private val context: Context) : Surroundings {
    override fun nanos(): Long = SystemClock.elapsedRealtimeNanos()

    override fun sleep(milliseconds: Long) = SystemClock.sleep(milliseconds)

    override fun temperature(): Double? {
        val battery = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
        val tenths = battery?.getIntExtra(BatteryManager.EXTRA_TEMPERATURE, Int.MIN_VALUE) ?: Int.MIN_VALUE
        return if (tenths == Int.MIN_VALUE) null else tenths / TENTHS
    }

    override fun thermal(): Thermal? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return null
        val rank = context.getSystemService(PowerManager::class.java)?.currentThermalStatus ?: return null
        return THERMAL_WORDS.getOrNull(rank)?.let { Thermal(rank, it) }
    }
}

/** What kind of phone it is, without its own number. */
fun phonePlace(): Place = Place(
    device = "${Build.MANUFACTURER} ${Build.MODEL} (${chip()})",
    os = "Android ${Build.VERSION.RELEASE} (API ${Build.VERSION.SDK_INT})",
    build = Build.FINGERPRINT,
    clocks = clocks(),
    runtimes = BACKENDS.sorted() + listOf(BuildConfig.EXECUTORCH_VERSION, tfliteVersion()),
    emulator = Build.HARDWARE in setOf("ranchu", "goldfish", "cutf_cvm"),
)

private fun chip(): String =
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) Build.SOC_MODEL else Build.BOARD

private fun clocks(): String = try {
    listOf("governor", "min_freq", "max_freq").joinToString(" ") { File(CLOCKS + it).readText().trim() }
} catch (_: IOException) {
    "unreadable"
}

private fun tfliteVersion(): String = try {
    TensorFlowLite.runtimeVersion()
} catch (_: LinkageError) { // the fallback to ExecuTorch must not end here
    "absent"
} catch (_: IllegalStateException) {
    "absent"
}
