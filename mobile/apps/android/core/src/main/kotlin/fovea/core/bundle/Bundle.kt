package fovea.core.bundle

import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.security.MessageDigest

private const val CHUNK = 1 shl 16

/** A bundle that is whole: every listed file has its length and hash. */
class Bundle private constructor(val files: BundleFiles, val manifest: Manifest) {
    companion object {
        /** Reads the manifest and every listed file of [files]; throws [BundleError] unless all of it is right. */
        fun open(files: BundleFiles): Bundle {
            val manifest = readManifest(files)
            manifest.files.keys.forEach { requireInside(files.name, it) }
            for ((path, entry) in manifest.files) verify(files, path, entry)
            for (path in namedBy(manifest)) requireListed(files.name, manifest, path)
            return Bundle(files, manifest)
        }
    }
}

/** SHA-256 in hexadecimal, and length, of what [stream] holds; [also] sees every part on its way. */
fun digest(stream: InputStream, also: (ByteArray, Int) -> Unit = { _, _ -> }): Pair<String, Long> {
    val hash = MessageDigest.getInstance("SHA-256")
    val buffer = ByteArray(CHUNK)
    var length = 0L
    while (true) {
        val count = stream.read(buffer)
        if (count < 0) break
        hash.update(buffer, 0, count)
        also(buffer, count)
        length += count
    }
    return hexadecimal(hash.digest()) to length
}

fun hexadecimal(bytes: ByteArray): String = bytes.joinToString("") { "%02x".format(it) }

private fun requireInside(bundle: String, path: String) {
    val leaves = path.isEmpty() || path.startsWith("/") || '\\' in path || '\u0000' in path ||
        path.split('/').any { it == ".." || it == "." || it.isEmpty() }
    if (leaves) {
        throw BundleError(
            Problem.OUTSIDE,
            "$bundle: its manifest lists '$path', which leaves the bundle; do not use it, install another",
        )
    }
}

private fun verify(files: BundleFiles, path: String, entry: ListedFile) {
    val (hash, length) = try {
        files.open(path).use { digest(it) }
    } catch (_: FileNotFoundException) {
        throw BundleError(Problem.MISSING_FILE, "${files.name}: $path is missing; install the bundle again")
    } catch (error: IOException) {
        throw BundleError(
            Problem.MISSING_FILE,
            "${files.name}: $path cannot be read (${error.message}); install the bundle again",
        )
    }
    if (length != entry.bytes) {
        throw BundleError(
            Problem.LENGTH,
            "${files.name}: $path has $length bytes, the manifest says ${entry.bytes}; install the bundle again",
        )
    }
    if (!hash.equals(entry.sha256, ignoreCase = true)) {
        throw BundleError(
            Problem.HASH,
            "${files.name}: $path is not the file of the manifest (sha256 ${hash.take(12)}…, " +
                "not ${entry.sha256.take(12)}…); install the bundle again",
        )
    }
}

private fun namedBy(manifest: Manifest): List<String> =
    manifest.artefacts.map { it.path } +
        manifest.golden.flatMap { each -> listOf(each.input, each.torch) + each.outputs.values.map { it.path } }

/** A folder, as some artefacts are, is listed by its files. */
private fun requireListed(bundle: String, manifest: Manifest, path: String) {
    if (path !in manifest.files && manifest.files.keys.none { it.startsWith("$path/") }) {
        throw BundleError(
            Problem.MISSING_FILE,
            "$bundle: $path is named by the manifest but not among its files; install the bundle again",
        )
    }
}
