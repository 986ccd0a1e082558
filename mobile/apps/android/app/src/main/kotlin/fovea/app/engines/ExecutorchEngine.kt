package fovea.app.engines

import fovea.app.BuildConfig
import fovea.core.FoveaError
import fovea.core.bundle.Artefact
import fovea.core.run.Engine
import fovea.core.values.rewind
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor
import java.io.File

/** A `.pte` on ExecuTorch with XNNPACK, which is what its published archive holds. */
class ExecutorchEngine(file: File, artefact: Artefact, threads: Int) : Engine {
    private val module = Module.load(file.path, Module.LOAD_MODE_MMAP, threads)
    private val input = Tensor.allocateFloatBuffer(artefact.inputShape.fold(1, Int::times))
    private val value = EValue.from(Tensor.fromBlob(input, LongArray(artefact.inputShape.size) { artefact.inputShape[it].toLong() }))

    override val runtime = "executorch"
    override val runtimeVersion = BuildConfig.EXECUTORCH_VERSION
    override val delegate = if (artefact.delegation == null || artefact.delegation?.delegated == 0) "none" else "XNNPACK"

    override fun run(input: FloatArray): FloatArray {
        rewind(this.input)
        this.input.put(input)
        val given = module.forward(value).firstOrNull()?.takeIf { it.isTensor }
            ?: throw FoveaError("ExecuTorch gave no tensor; choose another recipe")
        return given.toTensor().dataAsFloatArray
    }

    override fun close() = module.destroy()
}
