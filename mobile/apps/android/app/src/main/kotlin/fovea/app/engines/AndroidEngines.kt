package fovea.app.engines

import fovea.app.ModelStore
import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.bundle.Bundle
import fovea.core.run.Engine
import fovea.core.run.EngineOpener

private const val LITERT = "litert"
private const val EXECUTORCH = "executorch"

/** Kinds of files that this app has a runtime for. */
val BACKENDS = setOf(EXECUTORCH, LITERT)

/** Loads files of [bundle] with the runtime of their kind. */
class AndroidEngines(private val store: ModelStore, private val bundle: Bundle) : EngineOpener {
    override fun open(artefact: Artefact, threads: Int): Engine {
        val file = store.file(bundle, artefact)
        return when (artefact.backend) {
            LITERT -> TfliteEngine(file, artefact, threads)
            EXECUTORCH -> ExecutorchEngine(file, artefact, threads)
            else -> throw FoveaError("this app has no runtime for ${artefact.backend}")
        }
    }
}
