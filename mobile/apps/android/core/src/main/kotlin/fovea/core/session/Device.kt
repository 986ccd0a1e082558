package fovea.core.session

import fovea.core.bundle.Bundle
import fovea.core.bundle.BundleFiles
import fovea.core.golden.PngDecoder
import fovea.core.run.EngineOpener
import fovea.core.time.Place
import fovea.core.time.Surroundings

/** What a session needs of the device it runs on. */
interface Device {
    /** The folder of bundles, with its index. */
    fun shelf(): BundleFiles

    fun bundle(name: String): BundleFiles

    /** Kinds of files that have a runtime here. */
    val backends: Set<String>

    fun opener(bundle: Bundle): EngineOpener

    val decoder: PngDecoder

    /** Threads of a runtime. */
    val threads: Int

    val surroundings: Surroundings

    val place: Place

    /** Keeps a row of latency in a file; returns where. */
    fun keep(row: String): String
}
