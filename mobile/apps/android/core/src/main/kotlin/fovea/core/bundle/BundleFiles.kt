package fovea.core.bundle

import java.io.File
import java.io.FileNotFoundException
import java.io.InputStream

/** The files of one bundle, wherever they lie: a folder, or the assets of an app. */
interface BundleFiles {
    /** What messages call the bundle. */
    val name: String

    /** Opens the file at [path], relative to the bundle; throws [FileNotFoundException] where there is none. */
    fun open(path: String): InputStream
}

/** A bundle in a folder. */
class FolderFiles(private val folder: File) : BundleFiles {
    override val name: String = folder.name

    override fun open(path: String): InputStream {
        val file = File(folder, path)
        if (!file.isFile) throw FileNotFoundException(path)
        return file.inputStream()
    }
}

/** Everything in the file at [path]. */
fun BundleFiles.read(path: String): ByteArray = open(path).use { it.readBytes() }
