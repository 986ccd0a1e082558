package fovea.app

import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.bundle.Bundle
import fovea.core.bundle.digest
import java.io.File
import java.io.IOException

/** Models as files: runtimes map them into memory by their path, and assets have none. */
class ModelStore(private val folder: File) {
    /** The file of [artefact], copied out of [bundle] unless it is there already; whole or absent. */
    fun file(bundle: Bundle, artefact: Artefact): File {
        val target = File(folder, "${artefact.sha256}.${artefact.path.substringAfterLast('.')}")
        // Its name is its hash, and it is renamed into place when whole.
        if (target.length() == artefact.bytes) return target
        val part = File(folder, "${target.name}.part")
        try {
            folder.mkdirs()
            val (hash, _) = part.outputStream().use { out ->
                bundle.files.open(artefact.path).use { digest(it) { bytes, count -> out.write(bytes, 0, count) } }
            }
            if (hash != artefact.sha256 || !part.renameTo(target)) throw IOException("its copy is not what it was")
        } catch (error: IOException) {
            part.delete()
            throw FoveaError(
                "${artefact.path} was not copied to the phone's storage (${error.message}); free some space",
                error,
            )
        }
        return target
    }
}
