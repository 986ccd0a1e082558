package fovea.core.bundle

import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.doubleOrNull
import kotlinx.serialization.json.intOrNull
import kotlinx.serialization.json.longOrNull

/** A JSON object of a bundle that knows where it stands, so that a message can say which part is missing. */
internal class Node(private val bundle: String, private val where: String, private val content: JsonObject) {
    val names: Set<String> get() = content.keys

    fun node(key: String): Node = Node(bundle, at(key), get(key) as? JsonObject ?: missing(key))

    fun nodeOrNull(key: String): Node? = (content[key] as? JsonObject)?.let { Node(bundle, at(key), it) }

    fun nodes(key: String): List<Node> {
        val list = get(key) as? JsonArray ?: missing(key)
        return list.mapIndexed { index, each ->
            Node(bundle, "${at(key)}[$index]", each as? JsonObject ?: missing("$key[$index]"))
        }
    }

    fun text(key: String): String = (get(key) as? JsonPrimitive)?.takeIf { it.isString }?.content ?: missing(key)

    fun textOrNull(key: String): String? = (content[key] as? JsonPrimitive)?.takeIf { it.isString }?.content

    fun int(key: String): Int = number(key)?.intOrNull ?: missing(key)

    fun long(key: String): Long = number(key)?.longOrNull ?: missing(key)

    fun double(key: String): Double = number(key)?.doubleOrNull ?: missing(key)

    fun doubleOrNull(key: String): Double? = if (get(key) is JsonNull) null else double(key)

    fun ints(key: String): List<Int> {
        val list = get(key) as? JsonArray ?: missing(key)
        return list.map { (it as? JsonPrimitive)?.takeUnless { each -> each.isString }?.intOrNull ?: missing(key) }
    }

    fun missing(key: String): Nothing = throw BundleError(
        Problem.MISSING_PART,
        "$bundle: $MANIFEST lacks ${at(key)}, or it is damaged; install the bundle again",
    )

    private fun number(key: String): JsonPrimitive? = (get(key) as? JsonPrimitive)?.takeUnless { it.isString }

    private fun get(key: String): JsonElement = content[key] ?: missing(key)

    private fun at(key: String): String = if (where.isEmpty()) key else "$where.$key"
}

internal const val MANIFEST = "manifest.json"

/** [text] as an object, or null where it is none. */
internal fun parsedObject(text: String): JsonObject? = try {
    Json.parseToJsonElement(text) as? JsonObject
} catch (_: SerializationException) {
    null
}
