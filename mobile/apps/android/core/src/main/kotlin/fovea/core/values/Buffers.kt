package fovea.core.values

import java.nio.Buffer

// Buffers of Android before 9 lack the methods below, which newer systems have in every class of
// buffer: called on the class that all of them have had, they are found everywhere.

fun rewind(buffer: Buffer) {
    buffer.rewind()
}

fun moveTo(buffer: Buffer, position: Int) {
    buffer.position(position)
}
