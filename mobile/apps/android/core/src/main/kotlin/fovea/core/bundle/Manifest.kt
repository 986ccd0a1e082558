package fovea.core.bundle

/** What an app reads of `manifest.json`; the contract in `mobile/apps/README.md` says what each key means. */
class Manifest(
    val student: String,
    val task: Task,
    val source: String,
    val height: Int,
    val width: Int,
    val meaning: Meaning,
    /** `[1, C, H, W]` */
    val outputShape: List<Int>,
    val classes: List<ClassName>,
    val artefacts: List<Artefact>,
    val golden: List<Golden>,
    val files: Map<String, ListedFile>,
) {
    val channels: Int get() = outputShape[1]

    fun artefact(recipe: String): Artefact? = artefacts.firstOrNull { it.recipe == recipe }
}

enum class Task(val word: String) {
    SALIENCY("saliency"),
    SALIENT_OBJECT("salient_object"),
    SEMANTIC("semantic"),
}

enum class Meaning(val word: String) {
    LOGITS("logits"),
    LOG_DENSITY("log-density"),
    CLASS_LOGITS("class-logits"),
}

enum class Layout { NCHW, NHWC }

/** A class of a semantic model; [rgb] without alpha. */
class ClassName(val name: String, val rgb: Int)

/** One exported file. */
class Artefact(
    val recipe: String,
    val path: String,
    val backend: String,
    val precision: String,
    val bytes: Long,
    val sha256: String,
    val layout: Layout,
    val inputShape: List<Int>,
    val bounds: Tolerance,
    val delegation: Delegation?,
)

/** How much of a graph its delegate took over when it was exported. */
class Delegation(val delegate: String, val delegated: Int, val total: Int, val partitions: Int)

/** How far an output may be from its reference; no [maxAbs], no bound on single values. */
class Tolerance(val maxAbs: Double?, val minCc: Double)

/** An input at model size, with what the student and each file made of it. */
class Golden(
    val name: String,
    val input: String,
    val torch: String,
    val outputs: Map<String, GoldenOutput>,
)

class GoldenOutput(val path: String, val tolerance: Tolerance)

class ListedFile(val sha256: String, val bytes: Long)
