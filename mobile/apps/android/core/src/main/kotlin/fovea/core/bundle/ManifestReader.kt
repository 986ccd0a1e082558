package fovea.core.bundle

import fovea.core.layer.numberedClasses
import fovea.core.layer.rgb
import fovea.core.values.Triangle
import java.io.FileNotFoundException

private const val SCHEMA = 1
private const val COLOUR_ORDER = "RGB"
private const val NUMBERS = "float32"

/** The manifest of [files], its form checked but not the files that it lists; throws [BundleError]. */
fun readManifest(files: BundleFiles): Manifest {
    val bundle = files.name
    val text = try {
        files.read(MANIFEST).decodeToString()
    } catch (_: FileNotFoundException) {
        throw BundleError(
            Problem.MISSING_MANIFEST,
            "$bundle is no bundle: it has no $MANIFEST; install it again: fovea bundle install $bundle --app android",
        )
    }
    val content = parsedObject(text) ?: throw BundleError(
        Problem.NOT_JSON,
        "$bundle: $MANIFEST is no JSON object; install the bundle again",
    )
    val root = Node(bundle, "", content)
    checkSchema(bundle, root.int("schema"))
    return manifest(bundle, root)
}

private fun checkSchema(bundle: String, schema: Int) {
    if (schema > SCHEMA) {
        throw BundleError(
            Problem.SCHEMA,
            "$bundle has schema $schema, this app knows $SCHEMA: it was made by a newer Fovea; update the app",
        )
    }
}

private fun manifest(bundle: String, root: Node): Manifest {
    val spec = root.node("spec")
    val input = root.node("input")
    val output = root.node("output")
    val task = known(bundle, Problem.TASK, "task", spec.text("task"), Task.entries) { it.word }
    val meaning =
        known(bundle, Problem.MEANING, "output meaning", output.text("meaning"), Meaning.entries) { it.word }
    checkInput(bundle, input)
    val shape = output.ints("shape")
    if (shape.size != 4 || shape.any { it < 1 } || shape[0] != 1) output.missing("shape")
    return Manifest(
        student = spec.text("name"),
        task = task,
        source = spec.textOrNull("source") ?: "",
        height = positive(input, "height"),
        width = positive(input, "width"),
        meaning = meaning,
        outputShape = shape,
        classes = if (meaning == Meaning.CLASS_LOGITS) classes(output, shape[1]) else emptyList(),
        artefacts = root.node("artefacts").let { parts -> parts.names.sorted().map { artefact(parts.node(it), it) } },
        golden = root.nodes("golden").map(::golden),
        files = root.node("files").let { parts -> parts.names.associateWith { listed(parts.node(it)) } },
    )
}

private fun checkInput(bundle: String, input: Node) {
    known(bundle, Problem.RESIZE, "resize", input.node("resize").text("name"), listOf(Triangle.NAME)) { it }
    if (input.text("color") != COLOUR_ORDER) input.missing("color $COLOUR_ORDER")
    if (input.text("dtype") != NUMBERS) input.missing("dtype $NUMBERS")
}

private fun <T> known(
    bundle: String,
    problem: Problem,
    what: String,
    said: String,
    all: List<T>,
    word: (T) -> String,
): T = all.firstOrNull { word(it) == said } ?: throw BundleError(
    problem,
    "$bundle: the $what '$said' is unknown to this app (known: ${all.joinToString { word(it) }}); " +
        "update the app or export the student again",
)

private fun positive(node: Node, key: String): Int = node.int(key).also { if (it < 1) node.missing(key) }

private fun classes(output: Node, count: Int): List<ClassName> {
    if ("classes" !in output.names) return numberedClasses(count)
    val named = output.nodes("classes").map { each ->
        ClassName(each.text("name"), rgb(each.text("colour")) ?: each.missing("colour"))
    }
    return if (named.size == count) named else output.missing("classes ($count of them)")
}

private fun artefact(node: Node, recipe: String): Artefact {
    val input = node.node("input")
    val layout = input.text("layout")
    val shape = input.ints("shape")
    if (shape.size != 4) input.missing("shape")
    return Artefact(
        recipe = recipe,
        path = node.text("path"),
        backend = node.text("backend"),
        precision = node.text("precision"),
        bytes = node.long("bytes"),
        sha256 = node.text("sha256"),
        layout = Layout.entries.firstOrNull { it.name == layout } ?: input.missing("layout"),
        inputShape = shape,
        bounds = tolerance(node.node("bounds")),
        delegation = node.nodeOrNull("delegation")?.let(::delegation),
    )
}

private fun delegation(node: Node) =
    Delegation(node.text("delegate"), node.int("delegated"), node.int("total"), node.int("partitions"))

private fun tolerance(node: Node) = Tolerance(node.doubleOrNull("max_abs"), node.double("min_cc"))

private fun golden(node: Node): Golden {
    val outputs = node.node("outputs")
    return Golden(
        name = node.text("name"),
        input = node.text("input"),
        torch = node.text("torch"),
        outputs = outputs.names.associateWith { recipe ->
            outputs.node(recipe).let { GoldenOutput(it.text("path"), tolerance(it.node("tolerance"))) }
        },
    )
}

private fun listed(node: Node) = ListedFile(node.text("sha256"), node.long("bytes"))
