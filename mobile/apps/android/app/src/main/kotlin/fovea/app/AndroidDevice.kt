package fovea.app

import android.content.Context
import fovea.app.engines.AndroidEngines
import fovea.app.engines.BACKENDS
import fovea.core.bundle.Bundle
import fovea.core.bundle.BundleFiles
import fovea.core.golden.PngDecoder
import fovea.core.run.EngineOpener
import fovea.core.session.Device
import fovea.core.time.Place
import fovea.core.time.Surroundings
import java.io.File

private const val SHELF = "bundles"
private const val MODELS = "models"
private const val ROWS = "latency.jsonl"
private const val MOST_THREADS = 4

/** The phone: bundles out of the assets, both runtimes, thermometer and storage. */
class AndroidDevice(private val context: Context) : Device {
    private val store = ModelStore(File(context.noBackupFilesDir, MODELS))

    override fun shelf(): BundleFiles = AssetFiles(context.assets, SHELF, SHELF)

    override fun bundle(name: String): BundleFiles = AssetFiles(context.assets, "$SHELF/$name", name)

    override val backends = BACKENDS

    override fun opener(bundle: Bundle): EngineOpener = AndroidEngines(store, bundle)

    override val decoder = PngDecoder(::decodeExactly)

    // Half the cores: the other half of most phones is much slower, and a runtime waits for its slowest thread.
    override val threads = (Runtime.getRuntime().availableProcessors() / 2).coerceIn(1, MOST_THREADS)

    override val surroundings: Surroundings = PhoneSurroundings(context)

    override val place: Place by lazy(::phonePlace)

    override fun keep(row: String): String {
        val file = rowsFile(context)
        file.appendText(row + "\n")
        return file.path
    }
}

/** Where rows of latency are kept; `adb pull` reaches it. */
fun rowsFile(context: Context): File = File(context.getExternalFilesDir(null) ?: context.filesDir, ROWS)
