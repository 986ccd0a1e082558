package fovea.core

import fovea.core.image.MOST_PIXELS
import fovea.core.image.YuvPlane
import fovea.core.image.frameOrientation
import fovea.core.image.layOnWhite
import fovea.core.image.pixelsOfYuv
import fovea.core.image.requireDecodable
import fovea.core.image.sampleSize
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

class ImagesTest {
    @Test
    fun `photographs of phones are read whole, huge ones smaller`() {
        assertEquals(1, sampleSize(1, 1))
        assertEquals(1, sampleSize(4032, 3024))
        assertEquals(2, sampleSize(8000, 6000))
        assertEquals(4, sampleSize(12000, 9000))
        for ((width, height) in listOf(12000 to 9000, 100_000 to 1000, 46_340 to 46_340)) {
            val sample = sampleSize(width, height)
            assertTrue((width.toLong() / sample) * (height / sample) <= MOST_PIXELS)
            assertTrue((width.toLong() / (sample / 2)) * (height / (sample / 2)) > MOST_PIXELS, "$width x $height is read too small")
        }
    }

    @Test
    fun `what cannot be decoded says what to do`() {
        requireDecodable("a.jpg", 1, 1, "image/jpeg", 26)
        val said = listOf("image/heic" to 26, "image/heic" to 34, "text/plain" to 34, "image/png" to 34, null to 34)
            .map { (mime, api) -> assertFailsWith<FoveaError> { requireDecodable("a", -1, -1, mime, api) }.message!! }
        assertEquals(listOf(true, false, false, false, false), said.map { "from version 9" in it })
        assertEquals(listOf(true, true, false, false, false), said.map { "HEIC" in it })
        assertTrue("no picture but text/plain" in said[2] && "damaged" in said[3] && "damaged" in said[4])
        assertFailsWith<FoveaError> { requireDecodable("empty.png", 0, 0, "image/png", 34) }
    }

    @Test
    fun `transparency lies on white`() {
        val argb = intArrayOf(0x00123456, 0xff123456.toInt(), 0x80ff0000.toInt())
        layOnWhite(argb)
        assertContentEquals(intArrayOf(-1, 0xff123456.toInt(), 0xffff7f7f.toInt()), argb)
    }

    @Test
    fun `frames of cameras become colours`() {
        // Black, white, and the red, green and blue of JFIF: of a 4 x 2 frame with padded rows.
        val luma = bytes(76, 76, 150, 150, 9, 76, 76, 150, 150, 9)
        val u = YuvPlane(bytes(85, 0, 44, 0), 4, 2)
        val v = YuvPlane(bytes(255, 0, 21, 0), 4, 2)
        val given = pixelsOfYuv(4, 2, YuvPlane(luma, 5, 1), u, v, IntArray(8))
        assertClose(0xfe0000, given.argb[0])
        assertClose(0x00ff00, given.argb[2])
        assertEquals(given.argb.take(4), given.argb.drop(4))
        val grey = YuvPlane(bytes(128), 1, 1)
        assertEquals(listOf(0xff000000.toInt()), pixelsOfYuv(1, 1, YuvPlane(bytes(0), 1, 1), grey, grey, IntArray(1)).argb.toList())
        assertEquals(listOf(-1), pixelsOfYuv(1, 1, YuvPlane(bytes(255), 1, 1), grey, grey, IntArray(1)).argb.toList())
    }

    @Test
    fun `odd frames read no chroma that is not there`() {
        val plane = YuvPlane(ByteArray(4) { 128.toByte() }, 2, 1)
        assertEquals(9, pixelsOfYuv(3, 3, YuvPlane(ByteArray(9), 3, 1), plane, plane, IntArray(9)).argb.size)
    }

    @Test
    fun `frames are turned by sensor and screen`() {
        // Held upright, a phone's back sensor lies a quarter turn to the left: EXIF 6 turns it right.
        assertEquals(6, frameOrientation(90, 0, front = false))
        assertEquals(1, frameOrientation(90, 90, front = false))
        assertEquals(3, frameOrientation(90, 270, front = false))
        assertEquals(8, frameOrientation(270, 0, front = true))
        assertEquals(1, frameOrientation(270, 90, front = true))
        assertEquals(1, frameOrientation(0, 0, front = false))
    }

    private fun bytes(vararg values: Int) = ByteArray(values.size) { values[it].toByte() }

    private fun assertClose(expected: Int, given: Int) {
        for (shift in listOf(0, 8, 16)) {
            val difference = ((expected shr shift) and 0xff) - ((given shr shift) and 0xff)
            assertTrue(difference in -2..2, "%06x is not %06x".format(given and 0xffffff, expected))
        }
    }
}
