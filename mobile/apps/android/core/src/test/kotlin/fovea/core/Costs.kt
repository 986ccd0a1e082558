package fovea.core

import fovea.core.bundle.FolderFiles
import fovea.core.bundle.Layout
import fovea.core.bundle.Meaning
import fovea.core.bundle.readManifest
import fovea.core.image.YuvPlane
import fovea.core.image.frameOrientation
import fovea.core.image.pixelsOfYuv
import fovea.core.image.upright
import fovea.core.layer.Palette
import fovea.core.layer.classLayer
import fovea.core.layer.heatLayer
import fovea.core.time.percentile
import fovea.core.values.Planes
import fovea.core.values.Triangle
import fovea.core.values.mapOf
import java.io.File

private const val RUNS = 60
private const val WARM_UP_NANOS = 3_000_000_000

/** Prints what the way of a photograph costs around a model: `java … fovea.core.CostsKt BUNDLE`. */
fun main(arguments: Array<String>) {
    val manifest = readManifest(FolderFiles(File(arguments.single())))
    val (_, channels, height, width) = manifest.outputShape
    val output = Planes(channels, height, width, FloatArray(channels * height * width) { (it * 37 % 101) / 20f - 3 })
    for ((name, photo) in mapOf("photograph 4032x3024" to waves(4032, 3024), "frame 640x480" to waves(640, 480))) {
        for (layout in Layout.entries) {
            print("$name: resize, $layout", milliseconds { Triangle.resize(photo, manifest.height, manifest.width, layout) })
        }
    }
    print("frame 640x480: YUV and turn", milliseconds { frame() })
    print("map and layer", milliseconds {
        if (manifest.meaning == Meaning.CLASS_LOGITS) classLayer(output, manifest.classes)
        else heatLayer(mapOf(output, manifest.meaning), Palette.shared)
    })
}

private val luma = YuvPlane(ByteArray(640 * 480) { (it * 31).toByte() }, 640, 1)
private val chroma = YuvPlane(ByteArray(640 * 240) { (it * 17).toByte() }, 640, 2)

private fun frame() =
    upright(pixelsOfYuv(640, 480, luma, chroma, chroma, IntArray(640 * 480)), frameOrientation(90, 0, front = false))

private fun milliseconds(act: () -> Unit): List<Double> {
    val warm = System.nanoTime() + WARM_UP_NANOS
    while (System.nanoTime() < warm) act() // as a camera does: the compiler has seen hundreds of frames
    return List(RUNS) {
        val started = System.nanoTime()
        act()
        (System.nanoTime() - started) / 1e6
    }.sorted()
}

private fun print(what: String, sorted: List<Double>) =
    println("%-32s median %6.2f ms, least %6.2f ms".format(what, percentile(sorted, 0.5), sorted.first()))
