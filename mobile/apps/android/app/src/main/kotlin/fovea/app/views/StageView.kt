package fovea.app.views

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.RectF
import android.view.View
import fovea.app.bitmap
import fovea.core.session.Shown

private const val LONGEST_SIDE = 2048
private const val CELL_DP = 10

/** A photograph with the layer over it, or what was cut out of it on a chequered ground. */
class StageView(context: Context) : View(context) {
    private var photo: Bitmap? = null
    private var layer: Bitmap? = null
    private var cutOut: Bitmap? = null
    private val photoPaint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val layerPaint = Paint()
    private val cellPaint = Paint().apply { color = Color.LTGRAY }
    private val place = RectF()

    /** Of the layer, 0-100. */
    var opacityPercent = 0
        set(value) {
            if (field == value) return
            field = value
            invalidate()
        }

    fun show(shown: Shown?) {
        photo = shown?.photo?.bitmap(photo)?.fitting()
        layer = shown?.layer?.bitmap(layer)
        cutOut = shown?.cutOut?.bitmap()?.fitting()
        layerPaint.isFilterBitmap = shown?.smooth == true
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        super.onDraw(canvas)
        val ground = photo ?: return
        placeWithin(ground)
        val cut = cutOut
        if (cut != null) {
            chequer(canvas)
            canvas.drawBitmap(cut, null, place, photoPaint)
            return
        }
        canvas.drawBitmap(ground, null, place, photoPaint)
        layer?.let {
            layerPaint.alpha = opacityPercent * 255 / 100
            canvas.drawBitmap(it, null, place, layerPaint)
        }
    }

    private fun placeWithin(bitmap: Bitmap) {
        val scale = minOf(width.toFloat() / bitmap.width, height.toFloat() / bitmap.height)
        val (across, down) = bitmap.width * scale to bitmap.height * scale
        val (left, top) = (width - across) / 2 to (height - down) / 2
        place.set(left, top, left + across, top + down)
    }

    private fun chequer(canvas: Canvas) {
        val cell = CELL_DP * resources.displayMetrics.density
        canvas.save()
        canvas.clipRect(place)
        var y = 0
        while (place.top + y * cell < place.bottom) {
            var x = y % 2
            while (place.left + x * cell < place.right) {
                val (left, top) = place.left + x * cell to place.top + y * cell
                canvas.drawRect(left, top, left + cell, top + cell, cellPaint)
                x += 2
            }
            y++
        }
        canvas.restore()
    }

    /** No larger than a screen can show: a canvas refuses bitmaps of very many bytes. */
    private fun Bitmap.fitting(): Bitmap {
        val longest = maxOf(width, height)
        if (longest <= LONGEST_SIDE) return this
        val scale = LONGEST_SIDE.toFloat() / longest
        val (across, down) = (width * scale).toInt().coerceAtLeast(1) to (height * scale).toInt().coerceAtLeast(1)
        return Bitmap.createScaledBitmap(this, across, down, true)
    }
}
