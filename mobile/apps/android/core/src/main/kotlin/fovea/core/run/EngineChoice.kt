package fovea.core.run

import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.bundle.Manifest

/** An engine that runs, and what had to be said on the way to it. */
class Opened(val engine: Engine, val artefact: Artefact, val notices: List<String>)

/** Recipes of [manifest] that an app with these [backends] may run, as they stand in the manifest. */
fun runnable(manifest: Manifest, backends: Set<String>): List<Artefact> =
    manifest.artefacts.filter { it.backend in backends }

/**
 * Opens [wanted], or, where its runtime does not load, the nearest of [all]: another runtime with the
 * same precision first. Throws [FoveaError] with every reason where none loads.
 */
fun openWithFallback(wanted: Artefact, all: List<Artefact>, threads: Int, opener: EngineOpener): Opened {
    val others = all.filter { it !== wanted }
        .sortedWith(compareBy({ it.precision != wanted.precision }, { it.backend == wanted.backend }))
    val notices = mutableListOf<String>()
    for (artefact in listOf(wanted) + others) {
        try {
            val engine = opener.open(artefact, threads)
            if (artefact !== wanted) notices += "Running ${artefact.recipe} instead."
            return Opened(engine, artefact, notices)
        } catch (error: OutOfMemoryError) {
            throw error
        } catch (error: Throwable) { // native runtimes fail with errors, not only exceptions
            notices += "${artefact.recipe} does not load (${reason(error)})."
        }
    }
    throw FoveaError("No file of the bundle loads on this phone. ${notices.joinToString(" ")} Export another recipe.")
}

private fun reason(error: Throwable): String = error.message?.lineSequence()?.first()?.take(200) ?: error.javaClass.simpleName
