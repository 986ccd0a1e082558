package fovea.core.testing

import fovea.core.bundle.Bundle
import fovea.core.bundle.BundleFiles
import fovea.core.bundle.FolderFiles
import fovea.core.golden.PngDecoder
import fovea.core.run.EngineOpener
import fovea.core.session.Device
import fovea.core.time.Place
import fovea.core.time.Surroundings
import fovea.core.time.Thermal
import java.io.File

/** A computer in a phone's place: bundles of a [folder], the computer's runtimes, a clock that may be wound. */
open class HostDevice(private val folder: File, override val decoder: PngDecoder) : Device {
    val kept = mutableListOf<String>()

    override fun shelf(): BundleFiles = FolderFiles(folder)

    override fun bundle(name: String): BundleFiles = FolderFiles(File(folder, name))

    override val backends = setOf("litert", "executorch")

    override fun opener(bundle: Bundle): EngineOpener = HostEngine.opener(folder, bundle)

    override val threads = 1

    override val surroundings: Surroundings = HostSurroundings()

    override val place = Place("Maker Model (chip)", "Android 14 (API 34)", "build", "unreadable", listOf("host"), false)

    override fun keep(row: String): String {
        kept += row
        return "memory"
    }
}

/** A warm phone: 36.5 degrees, status light. */
open class HostSurroundings : Surroundings {
    override fun nanos(): Long = System.nanoTime()

    override fun sleep(milliseconds: Long) = Thread.sleep(milliseconds)

    override fun temperature(): Double? = 36.5

    override fun thermal(): Thermal? = Thermal(1, "light")
}
