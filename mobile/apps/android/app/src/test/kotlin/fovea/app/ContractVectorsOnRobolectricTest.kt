package fovea.app

import fovea.core.testing.setting
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.File
import java.io.InputStream

/** The device's test of the contract where there is no device. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [34], application = FoveaApplication::class)
class ContractVectorsOnRobolectricTest : ContractVectors() {
    override fun stream(path: String): InputStream = File(setting("fovea.vectors"), path).inputStream()
}
