package fovea.app

import android.net.Uri
import fovea.core.FoveaError
import fovea.core.image.Pixels
import fovea.core.image.upright
import fovea.core.testing.setting
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import java.io.ByteArrayInputStream
import java.io.File
import java.io.IOException
import javax.imageio.ImageIO
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** Photographs read by Android's own decoders. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [34], application = FoveaApplication::class)
class PhotoReaderTest {
    private val resolver = RuntimeEnvironment.getApplication().contentResolver
    private val told = mutableListOf<String>()

    private fun read(content: ByteArray, name: String = "a.png"): Pixels {
        val uri = Uri.parse("content://pictures/$name")
        shadowOf(resolver).registerInputStreamSupplier(uri) { ByteArrayInputStream(content) }
        return PhotoReader(resolver).read(uri, told::add)
    }

    @Test
    fun `stored pictures keep every pixel`() {
        val files = File(setting("fovea.vectors")).walk().filter { it.extension == "png" }.toList()
        assertTrue(files.size > 20)
        for (file in files) {
            val expected = ImageIO.read(file).let { it.getRGB(0, 0, it.width, it.height, null, 0, it.width) }
            assertContentEquals(expected, decodeExactly(file.readBytes())!!.argb, file.path)
        }
    }

    @Test
    fun `photographs are turned upright by their EXIF`() {
        for (orientation in 1..8) {
            val given = read(turnedJpeg(square(60, 40), orientation), "turned.jpg")
            val expected = upright(square(60, 40), orientation)
            assertEquals(expected.width to expected.height, given.width to given.height, "orientation $orientation")
            for (corner in listOf(0, given.width - 1, given.argb.size - given.width, given.argb.size - 1)) {
                val (a, b) = expected.argb[corner] and 0xff0000 to (given.argb[corner] and 0xff0000)
                assertTrue(kotlin.math.abs(a - b) < 0x200000, "orientation $orientation, pixel $corner")
            }
        }
        assertTrue(told.isEmpty())
    }

    @Test
    fun `transparency becomes white`() {
        val clear = Pixels(2, 1, intArrayOf(0x00ff0000, 0xff00ff00.toInt()))
        assertContentEquals(intArrayOf(-1, 0xff00ff00.toInt()), read(encoded(clear)).argb)
    }

    @Test
    fun `a huge photograph is read smaller and that is said`() {
        val given = read(encoded(Pixels(8000, 6000, IntArray(48_000_000) { 0xff808080.toInt() })), "huge.png")
        assertEquals(4000 to 3000, given.width to given.height)
        assertEquals(listOf("huge.png is 8000x6000; it was read at 1/2 of its size."), told)
    }

    @Test
    fun `what is no picture says so`() {
        val heic = byteArrayOf(0, 0, 0, 24) + "ftypheic".toByteArray() + ByteArray(12)
        val png = encoded(square(90, 60))
        for (bytes in listOf(ByteArray(0), "hello".toByteArray(), heic, png.copyOf(20))) {
            assertTrue("a.png" in assertFailsWith<FoveaError> { read(bytes) }.message!!)
        }
    }

    @Test
    fun `a file that its app does not hand out says so`() {
        val uri = Uri.parse("content://pictures/gone.jpg")
        shadowOf(resolver).registerInputStreamSupplier(uri) { throw IOException("gone") }
        assertTrue("gone.jpg" in assertFailsWith<FoveaError> { PhotoReader(resolver).read(uri, told::add) }.message!!)
    }
}
