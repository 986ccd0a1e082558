package fovea.core.testing

import fovea.core.bundle.Artefact
import fovea.core.bundle.Bundle
import fovea.core.bundle.Layout
import fovea.core.run.Engine
import fovea.core.run.EngineOpener
import java.io.DataInputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * The real runtimes of a computer, in a Python process of Fovea's environment: Android's own libraries
 * do not load outside of Android.
 */
class HostEngine(file: File, artefact: Artefact) : Engine {
    private val number: Int

    init {
        val nchw = artefact.layout == Layout.NCHW
        val (height, width) = artefact.inputShape.slice(if (nchw) 2..3 else 1..2)
        number = HostProcess.load("${artefact.layout} $height $width ${file.path}")
        check(number >= 0) { "${file.name} does not load on this computer" }
    }

    override val runtime = "host"
    override val runtimeVersion = "0"
    override val delegate = "XNNPACK"

    override fun run(input: FloatArray): FloatArray = HostProcess.run(number, input)

    override fun close() = Unit

    companion object {
        /** Engines for the bundles in a [folder]. */
        fun opener(folder: File, bundle: Bundle) = EngineOpener { artefact, _ ->
            HostEngine(File(File(folder, bundle.files.name), artefact.path), artefact)
        }
    }
}

/** One process for all engines: starting it takes longer than any test. */
private object HostProcess {
    private val checkout = File(setting("fovea.checkout"))
    private val process = ProcessBuilder(setting("fovea.python"), "$checkout/mobile/apps/android/check/host_engine.py")
        .directory(checkout)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .apply { environment()["PYTHONPATH"] = checkout.path }
        .start()
    private val answers = DataInputStream(process.inputStream.buffered())

    @Synchronized
    fun load(what: String): Int {
        send("load $what\n".toByteArray())
        return number()
    }

    @Synchronized
    fun run(number: Int, input: FloatArray): FloatArray {
        val bytes = ByteBuffer.allocate(input.size * Float.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN)
        bytes.asFloatBuffer().put(input)
        send("run $number\n".toByteArray() + bytes.array())
        val given = ByteArray(number() * Float.SIZE_BYTES).also { answers.readFully(it) }
        val values = ByteBuffer.wrap(given).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
        return FloatArray(values.remaining()).also { values.get(it) }
    }

    private fun send(bytes: ByteArray) {
        process.outputStream.write(bytes)
        process.outputStream.flush()
    }

    private fun number(): Int = Integer.reverseBytes(answers.readInt())
}

fun setting(name: String): String =
    checkNotNull(System.getProperty(name)?.takeIf { it.isNotEmpty() }) { "-D$name says nothing" }
