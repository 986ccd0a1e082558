package fovea.core.run

import fovea.core.bundle.Artefact

/** A file that is loaded and ready to run, in whichever runtime. Not for several threads at once. */
interface Engine : AutoCloseable {
    /** The output's values, as `[1, C, H, W]`, of an [input] in the file's own layout. */
    fun run(input: FloatArray): FloatArray

    /** The runtime, as rows of latency name it. */
    val runtime: String
    val runtimeVersion: String

    /** What the runtime hands the graph to, where it can be told. */
    val delegate: String
}

/** Loads files of bundles. */
fun interface EngineOpener {
    /** Loads [artefact] with [threads] threads; any throwable says that the runtime does not take it. */
    fun open(artefact: Artefact, threads: Int): Engine
}
