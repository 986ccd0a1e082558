package fovea.app

import androidx.test.platform.app.InstrumentationRegistry
import java.io.InputStream

/** The contract on the device itself; the vectors are assets of the test's own package. */
class ContractVectorsTest : ContractVectors() {
    override fun stream(path: String): InputStream =
        InstrumentationRegistry.getInstrumentation().context.assets.open(path)
}
