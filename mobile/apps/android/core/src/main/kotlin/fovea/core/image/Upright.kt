package fovea.core.image

private const val NORMAL = 1
private const val MIRRORED = 2
private const val HALF_TURN = 3
private const val FLIPPED = 4
private const val TRANSPOSED = 5
private const val QUARTER_TURN = 6
private const val TRANSVERSED = 7
private const val THREE_QUARTERS = 8

/** [stored] as a person sees it, by its EXIF [orientation]; 1 and unknown numbers leave it as it is. */
fun upright(stored: Pixels, orientation: Int): Pixels {
    if (orientation <= NORMAL || orientation > THREE_QUARTERS) return stored
    val turned = orientation >= TRANSPOSED
    val width = if (turned) stored.height else stored.width
    val height = if (turned) stored.width else stored.height
    val out = IntArray(stored.argb.size)
    // Where the first pixel of the result comes from, and how far apart its columns and rows lie there.
    val right = stored.width - 1
    val below = (stored.height - 1) * stored.width
    val (origin, column, row) = when (orientation) {
        MIRRORED -> Triple(right, -1, stored.width)
        HALF_TURN -> Triple(below + right, -1, -stored.width)
        FLIPPED -> Triple(below, 1, -stored.width)
        TRANSPOSED -> Triple(0, stored.width, 1)
        QUARTER_TURN -> Triple(below, -stored.width, 1)
        TRANSVERSED -> Triple(below + right, -stored.width, -1)
        else -> Triple(right, stored.width, -1)
    }
    for (y in 0 until height) {
        var from = origin + y * row
        for (x in 0 until width) {
            out[y * width + x] = stored.argb[from]
            from += column
        }
    }
    return Pixels(width, height, out)
}

/** The EXIF orientation of a camera's frames: [sensor] is how the sensor is mounted, [display] how the screen is turned. */
fun frameOrientation(sensor: Int, display: Int, front: Boolean): Int {
    val clockwise = if (front) sensor + display else sensor - display + 360
    return when (clockwise % 360) {
        90 -> QUARTER_TURN
        180 -> HALF_TURN
        270 -> THREE_QUARTERS
        else -> NORMAL
    }
}
