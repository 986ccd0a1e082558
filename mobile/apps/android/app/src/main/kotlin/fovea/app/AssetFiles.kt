package fovea.app

import android.content.res.AssetManager
import fovea.core.bundle.BundleFiles
import java.io.InputStream

/** A folder of the app's assets; [name] is what messages call it. */
class AssetFiles(
    private val assets: AssetManager,
    private val folder: String,
    override val name: String,
) : BundleFiles {
    override fun open(path: String): InputStream = assets.open("$folder/$path", AssetManager.ACCESS_STREAMING)
}
