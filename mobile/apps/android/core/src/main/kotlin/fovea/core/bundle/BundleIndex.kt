package fovea.core.bundle

import fovea.core.FoveaError
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonPrimitive
import java.io.FileNotFoundException

/** Where an app keeps its list of bundles, below the folder of bundles. */
const val INDEX = "index.json"

private const val HOW = "fovea bundle install STUDENT --app android"

/** The names of the bundles in a folder of bundles; throws [FoveaError] where there are none. */
fun readIndex(folder: BundleFiles): List<String> {
    val text = try {
        folder.read(INDEX).decodeToString()
    } catch (_: FileNotFoundException) {
        throw FoveaError("the app has no bundle yet; install one and build again: $HOW")
    }
    val listed = parsedObject(text)?.get("bundles") as? JsonArray
        ?: throw FoveaError("bundles/$INDEX lists no bundles; install one again: $HOW")
    val names = listed.mapNotNull { (it as? JsonPrimitive)?.takeIf { each -> each.isString }?.content }
    return names.ifEmpty { throw FoveaError("the app has no bundle yet; install one and build again: $HOW") }
}
