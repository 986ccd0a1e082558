package fovea.app.engines

import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.run.Engine
import fovea.core.values.rewind
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.TensorFlowLite
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A `.tflite` on TensorFlow Lite with XNNPACK. */
class TfliteEngine(file: File, artefact: Artefact, threads: Int) : Engine {
    private val interpreter = Interpreter(file, Interpreter.Options().setNumThreads(threads).setUseXNNPACK(true))
    private val input: ByteBuffer
    private val output: ByteBuffer

    init {
        try {
            interpreter.allocateTensors()
            val takes = interpreter.getInputTensor(0)
            if (takes.shape().toList() != artefact.inputShape) {
                throw FoveaError("takes ${takes.shape().toList()}, the manifest says ${artefact.inputShape}")
            }
            input = direct(takes.numBytes())
            output = direct(interpreter.getOutputTensor(0).numBytes())
        } catch (error: Throwable) {
            interpreter.close()
            throw error
        }
    }

    override val runtime = "tensorflow-lite"
    override val runtimeVersion: String get() = TensorFlowLite.runtimeVersion()
    override val delegate = "XNNPACK"

    override fun run(input: FloatArray): FloatArray {
        this.input.asFloatBuffer().put(input)
        rewind(output)
        interpreter.run(this.input, output)
        rewind(output)
        return FloatArray(output.capacity() / Float.SIZE_BYTES).also { output.asFloatBuffer().get(it) }
    }

    override fun close() = interpreter.close()

    private fun direct(bytes: Int): ByteBuffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
}
