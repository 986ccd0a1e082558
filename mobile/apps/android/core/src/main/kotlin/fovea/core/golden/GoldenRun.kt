package fovea.core.golden

import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.bundle.Bundle
import fovea.core.bundle.read
import fovea.core.image.Pixels
import fovea.core.run.Engine
import fovea.core.values.Planes
import fovea.core.values.readNpy
import fovea.core.values.tensor
import fovea.core.values.Triangle

/** One golden vector of one file. */
class GoldenResult(val recipe: String, val golden: String, val verdict: Verdict, val own: Boolean)

/** Decodes a PNG file to the pixels that it stores: no scaling, no colour management. */
fun interface PngDecoder {
    fun decode(bytes: ByteArray): Pixels?
}

/** Runs every golden vector of [bundle] through [engine], which has [artefact] loaded. */
fun runGolden(bundle: Bundle, artefact: Artefact, engine: Engine, decoder: PngDecoder): List<GoldenResult> {
    val manifest = bundle.manifest
    return manifest.golden.map { golden ->
        val reference = reference(golden, artefact)
        val expected = readNpy(bundle.files.read(reference.path), reference.path).planes()
        val output = engine.run(tensor(goldenInput(bundle, golden.input, decoder), artefact.layout))
        if (output.size != expected.data.size) {
            throw FoveaError(
                "${artefact.recipe} gives ${output.size} values where ${reference.path} has ${expected.data.size}; " +
                    "export the student again",
            )
        }
        val given = Planes(expected.channels, expected.height, expected.width, output)
        val verdict = judge(given, expected, manifest.meaning, reference.tolerance)
        GoldenResult(artefact.recipe, golden.name, verdict, reference.own)
    }
}

/** The golden input at [path] as planes; it has the model's size and is not resized. */
fun goldenInput(bundle: Bundle, path: String, decoder: PngDecoder): Planes {
    val manifest = bundle.manifest
    val pixels = decoder.decode(bundle.files.read(path))
        ?: throw FoveaError("${bundle.files.name}: $path is no PNG that this phone decodes; install the bundle again")
    if (pixels.height != manifest.height || pixels.width != manifest.width) {
        throw FoveaError(
            "${bundle.files.name}: $path is ${pixels.width}x${pixels.height}, the model takes " +
                "${manifest.width}x${manifest.height}; build the bundle again",
        )
    }
    return Triangle.resize(pixels, pixels.height, pixels.width)
}
