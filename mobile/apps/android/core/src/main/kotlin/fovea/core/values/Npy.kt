package fovea.core.values

import fovea.core.FoveaError
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** An array of any rank, in C order. */
class NdArray(val shape: List<Int>, val data: FloatArray) {
    /** The last three axes as planes: (h, w), (C, h, w) or (1, C, h, w). */
    fun planes(): Planes {
        val last = if (shape.size == 4 && shape[0] == 1) shape.drop(1) else shape
        return when (last.size) {
            2 -> Planes(1, last[0], last[1], data)
            3 -> Planes(last[0], last[1], last[2], data)
            else -> throw FoveaError("an array of shape $shape is no map; the bundle's golden outputs are damaged")
        }
    }
}

private val MAGIC = byteArrayOf(0x93.toByte()) + "NUMPY".toByteArray()
private const val LEAST = 10
private val DTYPE = Regex("'descr':\\s*'([^']*)'")
private val FORTRAN = Regex("'fortran_order':\\s*True")
private val SHAPE = Regex("'shape':\\s*\\(([^)]*)\\)")

/** A `.npy` of version 1.0, `<f4`, C order; throws [FoveaError], naming the file [name], for another. */
fun readNpy(bytes: ByteArray, name: String): NdArray {
    fun refuse(why: String): Nothing =
        throw FoveaError("$name: $why; expected .npy version 1.0 of little-endian float32 in C order")
    if (bytes.size < LEAST || !bytes.copyOf(MAGIC.size).contentEquals(MAGIC)) refuse("no .npy file")
    if (bytes[6].toInt() != 1 || bytes[7].toInt() != 0) refuse("version ${bytes[6]}.${bytes[7]}")
    val buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
    val start = LEAST + (buffer.getShort(8).toInt() and 0xffff)
    if (start > bytes.size) refuse("cut short")
    val header = String(bytes, LEAST, start - LEAST, Charsets.ISO_8859_1)
    val dtype = DTYPE.find(header)?.groupValues?.get(1) ?: refuse("no dtype")
    if (dtype != "<f4") refuse("dtype $dtype")
    if (FORTRAN.containsMatchIn(header)) refuse("Fortran order")
    val said = SHAPE.find(header)?.groupValues?.get(1) ?: refuse("no shape")
    val shape = said.split(',').map(String::trim).filter(String::isNotEmpty)
        .map { it.toIntOrNull() ?: refuse("shape ($said)") }
    val count = shape.fold(1L) { product, each -> product * each }
    if (count * Float.SIZE_BYTES != (bytes.size - start).toLong()) refuse("${bytes.size - start} bytes for shape $shape")
    moveTo(buffer, start)
    val data = FloatArray(count.toInt())
    buffer.slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(data)
    return NdArray(shape, data)
}
