package fovea.core.values

/** `channels` planes of `height` x `width` numbers, one after the other; a map has one. */
class Planes(val channels: Int, val height: Int, val width: Int, val data: FloatArray) {
    init {
        require(data.size == channels * height * width) {
            "${data.size} numbers are not $channels x $height x $width"
        }
    }

    val area: Int get() = height * width
}
